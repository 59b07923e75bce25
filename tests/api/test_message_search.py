"""Messages and sends by their words, as an integrator pages through them."""

from bot import clock
from bot.jobs import message_search as job
from models import InboundMessage, Send


def test_each_side_is_found_in_its_own_list(api, create):
    account = create.account("shop")
    follower, session = create.follower(account), create.session
    whose = {"account_id": account.id, "follower_id": follower.id}
    for at in range(5):
        now = clock.now()
        session.add(
            InboundMessage(
                **whose, openid=follower.openid, dedup_key=str(at), kind="text", text=f"退款 {at}", received_at=now
            )
        )
        session.add(Send(**whose, reply={"kind": "text", "text": f"退款单 {at}"}, created_at=now))
        session.commit()
    job.index(1)

    for noun, text in (("messages", lambda row: row["text"]), ("sends", lambda row: row["reply"]["text"])):
        pages, after = [], ""
        while True:
            answer = api.get(f"/accounts/shop/{noun}?search=退款&limit=2{after}").json
            pages.append([text(row)[-1] for row in answer["items"]])
            if answer["next"] is None:
                break
            after = f"&before={answer['next']}"
        assert pages == [["4", "3"], ["2", "1"], ["0"]]
        whole = api.get(f"/accounts/shop/{noun}?follower_id={follower.id}&limit=3").json
        assert [text(row)[-1] for row in whole["items"]] == ["4", "3", "2"]
        refused = api.get(f"/accounts/shop/{noun}?search=退")
        assert (refused.status_code, refused.json["error"]["field"]) == (422, "search")
        both = api.get(f"/accounts/shop/{noun}?search=退款&follower_id={follower.id}")
        assert (both.status_code, both.json["error"]["field"]) == (422, "search")
