"""The other nouns, as an integrator uses them."""

import pytest
from sqlalchemy import select

from bot.database import reading
from bot.services import presence
from models import AccessToken, Account, Role


@pytest.fixture
def account(create, sim, live):
    account = create.account("shop")
    sim.connect(account, live)
    return account


@pytest.fixture
def follower(account, sim, api):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    return api.get(f"/accounts/shop/followers?search={openid}").json["items"][0]


def test_an_account_is_made_and_changed_and_shows_no_secret(api, account):
    secrets = {"secret": "S3cr3t" * 5, "token": "T0ken" * 5, "aes_key": "K" * 42 + "A"}
    made = api.post("/accounts", {"slug": "new", "title": "New", "appid": "wx0123456789abcdef", **secrets})
    assert made.status_code == 201
    change = {"title": "Newer", "timezone": "Asia/Tokyo", "human_reply": "稍等", "secret": "x" * 32}
    changed = api.patch("/accounts/new", change)
    assert [changed.json[name] for name in ("title", "timezone", "human_reply")] == ["Newer", "Asia/Tokyo", "稍等"]
    listed = api.get("/accounts")

    assert made.json["has_secret"] is True
    assert made.json["callback_url"].endswith("/wechat/new")
    for answer in (made, changed, listed):
        assert not any(secret in answer.text for secret in secrets.values())
    assert [each["slug"] for each in listed.json["items"]] == ["shop", "new"]
    assert api.post("/accounts", {"slug": "new"}).status_code == 409
    assert api.patch("/accounts/new", {"slug": "x"}).status_code == 422
    assert api.patch("/accounts/new", {"timezone": "Mars"}).json["error"]["field"] == "timezone"
    assert api.get("/accounts/new").json["timezone"] == "Asia/Tokyo"


def test_what_holds_for_campaigns_is_read_and_changed(api, account):
    change = {"cap_messages": 4, "cap_days": 30, "approval_above": 1000, "opt_out_words": ["取消"], "opt_in_words": []}
    changed = api.patch("/accounts/shop", change).json
    assert {name: changed[name] for name in change} == change
    assert api.patch("/accounts/shop", {"cap_days": 7, "opt_out_reply": "好的"}).json["approval_above"] == 1000
    assert api.patch("/accounts/shop", {"approval_above": None}).json["approval_above"] is None
    assert api.get("/accounts/shop").json["opt_out_reply"] == "好的"
    refused = api.patch("/accounts/shop", {"opt_out_words": ["人工"]})
    assert (refused.status_code, refused.json["error"]["field"]) == (422, "opt_out_words")
    assert api.patch("/accounts/shop", {"cap_days": 91}).json["error"]["field"] == "cap_days"


def test_signing_in_to_moments_is_switched_on_for_verified_service_accounts_only(api, account, create):
    assert api.get("/accounts/shop").json["signs_members_in"] is False
    assert api.patch("/accounts/shop", {"signs_members_in": True}).json["signs_members_in"] is True
    (last, *_rest) = api.get("/accounts/shop/audit").json["items"]
    assert (last["before"], last["after"]) == ({"signs_members_in": False}, {"signs_members_in": True})
    for change in ({"kind": "subscription"}, {"is_verified": False}):
        refused = api.patch("/accounts/shop", change)
        assert (refused.status_code, refused.json["error"]["field"]) == (422, "signs_members_in")
    off = api.patch("/accounts/shop", {"kind": "subscription", "signs_members_in": False})
    assert (off.status_code, off.json["signs_members_in"]) == (200, False)
    assert api.patch("/accounts/shop", {"signs_members_in": True}).status_code == 422


def test_a_token_for_one_account_sees_and_makes_no_other(api_as, account, create):
    create.account("other")
    ours = api_as(account)

    assert [each["slug"] for each in ours.get("/accounts").json["items"]] == ["shop"]
    assert ours.post("/accounts", {"slug": "mine"}).status_code == 403


def test_a_new_secret_forgets_the_access_token(api, account, work):
    api.put("/accounts/shop/menu", {"buttons": [{"name": "A", "type": "click", "key": "A"}]})
    api.post("/accounts/shop/menu/publish")
    work()

    def stored() -> str:
        with reading() as session:
            query = select(AccessToken.sealed_token).join(Account, Account.id == AccessToken.account_id)
            return session.scalars(query.where(Account.slug == "shop")).one()

    assert stored()
    api.patch("/accounts/shop", {"secret": "y" * 32})
    assert stored() == ""


def test_a_menu_is_kept_then_published(api, account, work):
    buttons = [{"name": "价格", "type": "click", "key": "P"}, {"name": "M", "sub_button": [
        {"name": "Site", "type": "view", "url": "https://example.com/"}]}]  # fmt: skip
    kept = api.put("/accounts/shop/menu", {"buttons": buttons}).json
    assert (kept["buttons"], kept["published"], kept["published_at"]) == (buttons, [], None)

    task = api.post("/accounts/shop/menu/publish")
    assert task.status_code == 202
    work()

    done = api.get(f"/accounts/shop/tasks/{task.json['id']}").json
    assert (done["status"], done["kind"]) == ("done", "menu_publish")
    assert api.get("/accounts/shop/menu").json["published"] == buttons
    wrong = api.put("/accounts/shop/menu", {"buttons": [{"name": "名" * 6, "type": "click", "key": "P"}]})
    assert wrong.json["error"]["field"] == "buttons.0.name"


def test_of_two_changes_of_a_draft_the_second_is_told(api, account):
    began = api.get("/accounts/shop/menu").json["revision"]
    buttons = [{"name": "价格", "type": "click", "key": "P"}]
    changed = api.put("/accounts/shop/menu", {"buttons": buttons, "revision": began})
    assert changed.status_code == 200
    other = [{"name": "Price", "type": "click", "key": "P"}]
    clash = api.put("/accounts/shop/menu", {"buttons": other, "revision": began})
    assert (clash.status_code, clash.json["error"]["field"]) == (409, "revision")
    assert api.get("/accounts/shop/menu").json["buttons"] == buttons
    again = api.put("/accounts/shop/menu", {"buttons": other, "revision": changed.json["revision"]})
    assert again.json["buttons"] == other


def test_followers_are_synced_listed_named(api, account, sim, work):
    for name in ("a", "b", "c"):
        sim.follower(account, name)
    task = api.post("/accounts/shop/followers/sync").json
    work()

    assert api.get(f"/accounts/shop/tasks/{task['id']}").json["status"] == "done"
    first = api.get("/accounts/shop/followers?limit=2").json
    rest = api.get(f"/accounts/shop/followers?limit=2&before={first['next']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    one = first["items"][0]
    named = api.patch(f"/accounts/shop/followers/{one['id']}", {"remark": "Ms Li"}).json
    assert (named["remark"], named["name"]) == ("Ms Li", "Ms Li")
    assert api.get("/accounts/shop/tags").status_code == 200


def test_a_follower_is_opted_out_and_lives_in_a_zone(api, account, follower):
    path = f"/accounts/shop/followers/{follower['id']}"
    assert (follower["opted_out_at"], follower["timezone"]) == (None, "")

    assert api.patch(path, {"opted_out": True, "timezone": "America/New_York"}).json["opted_out_at"]
    kept = api.patch(path, {"remark": "Ms Li"}).json
    assert (bool(kept["opted_out_at"]), kept["timezone"]) == (True, "America/New_York")
    assert api.patch(path, {"timezone": "Mars"}).json["error"]["field"] == "timezone"
    back = api.patch(path, {"opted_out": False, "timezone": None}).json
    assert (back["opted_out_at"], back["timezone"]) == (None, "")
    changes = api.get(f"{path}/story?show=changes").json["items"]
    assert [(each["kind"], each["who"]) for each in changes] == [("opted_out", "API"), ("opted_in", "API")]


def test_messages_are_read_with_their_trace(api, account, follower, create, sim):
    create.rule(account, "price", "99")
    sim.say(account, follower["openid"], "price")

    found = api.get(f"/accounts/shop/messages?follower_id={follower['id']}&limit=1").json
    message = api.get(f"/accounts/shop/messages/{found['items'][0]['id']}").json

    assert (message["text"], message["reply"]["text"]) == ("price", "99")
    assert message["trace"]
    older = api.get(f"/accounts/shop/messages?before={found['next']}").json["items"]
    assert [each["text"] for each in older] == ["hello"]
    turns = api.get(f"/accounts/shop/followers/{follower['id']}/timeline").json["items"]
    assert [turn["text"] for turn in turns][-2:] == ["price", "99"]
    assert api.get(f"/accounts/shop/followers/{follower['id']}/timeline?before=2020-01-01T00:00:00").status_code == 422


def test_a_message_is_sent_and_followed_up(api, account, follower, sim, work):
    assert api.get(f"/accounts/shop/followers/{follower['id']}").json["allowance"]["left"] == 5

    send = api.post(f"/accounts/shop/followers/{follower['id']}/sends", {"reply": {"kind": "text", "text": "Hi"}})
    assert (send.status_code, send.json["status"]) == (202, "ready")
    work()

    assert api.get(f"/accounts/shop/sends/{send.json['id']}").json["status"] == "sent"
    assert [each["text"] for each in sim.inbox(account, follower["openid"]) if each["kind"] == "customer"] == ["Hi"]
    assert api.get(f"/accounts/shop/followers/{follower['id']}").json["allowance"]["left"] == 4


def test_a_conversation_from_taking_to_handing_back(api, account, follower, sim, work):
    talk = api.post("/accounts/shop/conversations", {"follower_id": follower["id"]}).json
    assert talk["is_open"]
    again = api.post("/accounts/shop/conversations", {"follower_id": follower["id"]}).json
    assert again["id"] == talk["id"]
    one = f"/accounts/shop/conversations/{talk['id']}"

    sent = api.post(f"{one}/replies", {"reply": {"kind": "text", "text": "This is Li"}})
    assert sent.status_code == 202
    work()
    assert "This is Li" in [turn["text"] for turn in api.get(f"{one}/thread").json["items"]]

    assert api.post(f"{one}/hand-back").json["closed_why"] == "handed_back"
    assert api.get("/accounts/shop/conversations").json["items"] == []
    assert [each["id"] for each in api.get("/accounts/shop/conversations?queue=closed").json["items"]] == [talk["id"]]
    assert api.post(f"{one}/replies", {"reply": {"kind": "text", "text": "x"}}).status_code == 409


def test_what_was_done_is_told_and_taken_back(api, account, follower):
    talk = api.post("/accounts/shop/conversations", {"follower_id": follower["id"]}).json
    inbox, one = "/accounts/shop/conversations", f"/accounts/shop/conversations/{talk['id']}"

    press = api.post(f"{inbox}/acts", {"ids": [talk["id"]], "act": "close"}).json
    assert api.post(f"{inbox}/undo", {"id": press["id"]}).json["done"] == [talk["id"]]
    assert api.get(one).json["is_open"]
    api.post(f"{one}/hand-back")
    assert api.post(f"{one}/reopen").json["is_open"]
    assert api.post(f"{one}/reopen").status_code == 409

    entries = api.get(f"{one}/journal").json["items"]
    assert [(entry["kind"], entry["who"]) for entry in entries] == [
        ("opened", "API"), ("closed", "API"), ("reopened", "API"), ("closed", "API"), ("reopened", "API"),
    ]  # fmt: skip
    assert api.get(f"{one}/journal?after={entries[-2]['seq']}").json["items"] == entries[-1:]


def test_who_answers_and_what_they_look_at(api, account, follower, create, redis):
    person = create.operator("小美", role=Role.AGENT, account=account)
    talk = api.post("/accounts/shop/conversations", {"follower_id": follower["id"]}).json
    assert api.get("/accounts/shop/agents").json["items"] == []
    act = {"ids": [talk["id"]], "act": "assign", "operator_id": person.id}
    assert api.post("/accounts/shop/conversations/acts", act).json["done"] == [talk["id"]]
    presence.here(account.id, person.id, person.name, "tab", talk["id"], writes=True)

    [agent] = api.get("/accounts/shop/agents").json["items"]
    assert (agent["name"], agent["is_present"], agent["open"], agent["is_available"]) == ("小美", True, 1, True)
    assert agent["looks_at"] == [{"conversation": talk["id"], "writes": True}]
    changed = api.patch(f"/accounts/shop/agents/{person.id}", {"capacity": 3}).json
    assert (changed["capacity"], changed["is_available"]) == (3, True)
    assert api.patch("/accounts/shop/agents/999", {"capacity": 3}).status_code == 404


def test_an_operator_is_added_and_let_in_once(api, client):
    made = api.post("/operators", {"name": "小美"})
    link = api.post("/sign-in-links", {"operator": "小美"})
    path = "/" + link.json["url"].split("/", 3)[3]

    assert (made.status_code, made.json["has_password"], link.status_code) == (201, False, 201)
    assert api.post("/operators", {"name": "小美"}).status_code == 409
    assert api.post("/sign-in-links", {"operator": "nobody"}).status_code == 404
    assert [each["name"] for each in api.get("/operators").json["items"]] == ["小美"]
    assert "小美" in client.get(path).text


def test_a_token_for_one_account_cannot_become_an_operator(api_as, account, create):
    create.operator("owner")
    create.session.commit()
    ours = api_as(account)

    assert ours.get("/operators").status_code == 403
    assert ours.post("/operators", {"name": "mine"}).status_code == 403
    assert ours.post("/sign-in-links", {"operator": "owner"}).status_code == 403


def test_health_tells_what_is_wrong_and_what_to_do(api, account):
    checks = {each["name"]: each for each in api.get("/accounts/shop/health").json["items"]}

    assert checks["WeChat"]["state"] == "ok"
    assert (checks["Clock"]["state"], checks["Clock"]["fix"]) == ("fail", "Start: lobby clock")


def test_a_token_for_one_account_learns_nothing_of_the_install(api_as, account):
    checks = {each["name"]: each["state"] for each in api_as(account).get("/accounts/shop/health").json["items"]}

    assert checks["WeChat"] == "ok"
    assert not checks.keys() & {"Data folder", "Database", "Redis", "Clock", "Disk"}


def test_what_a_program_wrote_is_not_taken_for_the_bots(api, follower):
    api.post(f"/accounts/shop/followers/{follower['id']}/sends", {"reply": {"kind": "text", "text": "from the CRM"}})

    turns = api.get(f"/accounts/shop/followers/{follower['id']}/timeline").json["items"]
    assert [(turn["side"], turn["who"]) for turn in turns if turn["text"] == "from the CRM"] == [("operator", "API")]
