"""Mass messages: who may send which, to how many, how often, and what comes of it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests

from .conftest import Sim, read

DAY = 86_400


@pytest.fixture
def account(sim: Sim):
    return sim.account(mass_a_minute=0)


@pytest.fixture
def api(sim: Sim, account):
    return sim.api(account)


@pytest.fixture
def openids(sim: Sim, account):
    return [sim.follower(name=name) for name in ("mei", "li", "wang")]


def text(openids, content="hi", **more):
    return {"touser": openids, "msgtype": "text", "text": {"content": content}} | more


def to_all(content="hi", **more):
    return {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": content}} | more


def received(sim: Sim, contains: str):
    told = sim.get("/sim/receipts", account="tea", contains=contains)
    return {name: told[name] for name in ("never", "once", "more")}


def test_a_list_is_taken_on_and_arrives(sim, api, openids):
    sim.follower(name="not meant")

    done = api.post("message/mass/send", text(openids, "spring", clientmsgid="c1"))

    assert (done["errcode"], done["errmsg"]) == (0, "send job submission success")
    assert done["msg_id"] > 2**53
    assert "msg_data_id" not in done
    sim.settle()
    assert received(sim, "spring") == {"never": 1, "once": 3, "more": 0}
    assert received(sim, "c1") == {"never": 1, "once": 3, "more": 0}
    item = sim.inbox(openids[0])[-1]
    assert (item["kind"], item["type"], item["text"]) == ("mass", "text", "spring")
    told = api.post("message/mass/get", {"msg_id": str(done["msg_id"])})
    assert told == {"msg_id": done["msg_id"], "msg_status": "SEND_SUCCESS"}


def test_the_job_goes_on_while_it_is_checked(sim, api, account, openids):
    sim.account(moderation_seconds=600)

    msg_id = api.post("message/mass/send", text(openids))["msg_id"]

    assert api.post("message/mass/get", {"msg_id": msg_id})["msg_status"] == "SENDING"
    assert sim.inbox(openids[0]) == []
    sim.advance(601)
    sim.settle()
    assert api.post("message/mass/get", {"msg_id": msg_id})["msg_status"] == "SEND_SUCCESS"
    assert len(sim.inbox(openids[0])) == 1


def test_slow_speed_takes_its_time(sim, api, openids):
    assert api.post("message/mass/speed/get", {}) == {"speed": 0, "realspeed": 100}
    assert api.post("message/mass/speed/set", {"speed": 4})["errcode"] == 0
    assert api.post("message/mass/speed/get", {}) == {"speed": 4, "realspeed": 15}
    assert api.post("message/mass/speed/set", {"speed": 5})["errcode"] == 45083
    assert api.post("message/mass/speed/set", {})["errcode"] == 45084


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"touser": ["o" + "x" * 27]}, 40130),
        ({"touser": "mei"}, 40031),
        ({"touser": ["short", "shorter"]}, 40031),
        ({"touser": ["o" + "x" * 27, "o" + "y" * 27]}, 40031),
        ({"touser": ["o" + "x" * 27] * 10_001}, 40032),
        ({"msgtype": "wxcard"}, 45113),
        ({"msgtype": "music", "music": {}}, 40008),
        ({"msgtype": "msgmenu", "msgmenu": {}}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"text": {"content": "x" * 2049}}, 45002),
        ({"msgtype": "image", "images": {"media_ids": ["nope"]}}, 40007),
        ({"msgtype": "voice", "voice": {"media_id": "nope"}}, 40007),
        ({"msgtype": "mpnews", "mpnews": {"media_id": "nope"}}, 40007),
        ({"clientmsgid": "x" * 33}, 45067),
        ({"clientmsgid": 7}, 45067),
        ({"send_ignore_reprint": 2}, 47003),
    ],
)
def test_refuses_a_list(api, openids, change, errcode):
    assert api.post("message/mass/send", text(openids) | change)["errcode"] == errcode


def test_another_accounts_people_are_refused(sim, api, openids):
    sim.account("coffee")

    foreign = sim.follower("coffee", "mei")

    assert api.post("message/mass/send", text([*openids, foreign]))["errcode"] == 40031


@pytest.mark.parametrize(
    ("filter_", "errcode"),
    [({"is_to_all": False}, 40152), ({"tag_id": 999}, 40152), ({"is_to_all": "yes"}, 47003), ("all", 47003)],
)
def test_refuses_an_audience(api, filter_, errcode):
    assert api.post("message/mass/sendall", to_all() | {"filter": filter_})["errcode"] == errcode


@pytest.mark.parametrize("name", ["tag_id", "group_id"])
def test_a_tag_reaches_those_who_carry_it(sim, api, openids, name):
    tag_id = api.post("tags/create", {"tag": {"name": "vip"}})["tag"]["id"]
    api.post("tags/members/batchtagging", {"openid_list": openids[:2], "tagid": tag_id})

    assert api.post("message/mass/sendall", to_all() | {"filter": {"is_to_all": False, name: tag_id}})["errcode"] == 0

    sim.settle()
    assert received(sim, "hi") == {"never": 1, "once": 2, "more": 0}


@pytest.mark.parametrize(
    ("fields", "send", "send_all"),
    [
        ({"kind": "service", "verified": False}, 48001, 48001),
        ({"kind": "subscription", "verified": False}, 48001, 48001),
        ({"kind": "subscription"}, 48001, 0),
        ({"kind": "service"}, 0, 0),
    ],
)
def test_who_may_send(sim, api, openids, fields, send, send_all):
    sim.account(**fields)

    assert api.post("message/mass/send", text(openids))["errcode"] == send
    assert api.post("message/mass/sendall", to_all("all"))["errcode"] == send_all


def test_a_client_id_is_remembered_for_a_day(sim, account, api, openids):
    body = text(openids, clientmsgid="c" * 32)
    first = api.post("message/mass/send", body)["msg_id"]

    sim.settle()
    assert api.post("message/mass/send", body)["errcode"] == 45066  # within a minute
    sim.advance(61)
    repeat = api.post("message/mass/send", body | {"text": {"content": "other"}})
    assert (repeat["errcode"], repeat["msg_id"]) == (45065, first)
    sim.advance(DAY)
    assert sim.api(account).post("message/mass/send", body)["errcode"] == 0


def test_of_many_at_once_with_one_client_id_one_is_taken_on(sim, api, openids):
    def send(_):
        body = text(openids, clientmsgid="c1")
        query = {"access_token": api.token}
        return read(requests.post(f"{sim.url}/cgi-bin/message/mass/send", params=query, json=body))["errcode"]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == [0] + [45066] * 7
    sim.settle()
    assert received(sim, "c1") == {"never": 0, "once": 3, "more": 0}


def test_a_repeat_in_progress_is_too_fast(sim, api, openids):
    sim.account(moderation_seconds=600)
    body = text(openids, clientmsgid="c1")
    api.post("message/mass/send", body)

    sim.advance(300)

    assert api.post("message/mass/send", body)["errcode"] == 45066


def test_without_a_client_id_the_content_is_it(sim, api, openids):
    assert api.post("message/mass/send", text(openids))["errcode"] == 0
    assert api.post("message/mass/send", text(openids[::-1]))["errcode"] == 45066
    assert api.post("message/mass/send", text(openids[:2]))["errcode"] == 0
    assert api.post("message/mass/send", text(openids, "other"))["errcode"] == 0


def test_a_service_account_reaches_each_four_times_a_month(sim, account, openids, callback):
    sim.account(callback_url=callback.url)
    sim.advance(-sim_days_into_month(sim) * DAY)  # the month's first day, so that the test stays within it
    api = sim.api(account)
    for number in range(5):
        assert api.post("message/mass/send", text(openids, f"n{number}"))["errcode"] == 0
        sim.settle()

    assert len(sim.inbox(openids[0])) == 4
    ends = [counts(seen) for seen in callback.received]
    assert ends == [(3, 3, 3, 0)] * 4 + [(3, 0, 0, 0)]
    sim.advance(31 * DAY)
    sim.api(account).post("message/mass/send", text(openids, "next month"))
    sim.settle()
    assert len(sim.inbox(openids[0])) == 5


def test_those_who_left_or_refuse_are_left_out_in_silence(sim, account, api, callback):
    sim.account(callback_url=callback.url)
    mei, li, wang, zhao = (sim.follower(name=name) for name in ("mei", "li", "wang", "zhao"))
    sim.event(li, "unsubscribe")
    sim.post("/sim/followers", account="tea", name="wang", refuses_messages=True)
    api.post("tags/members/batchblacklist", {"openid_list": [zhao]})

    assert api.post("message/mass/send", text([mei, li, wang, zhao]))["errcode"] == 0

    sim.settle()
    assert [len(sim.inbox(one)) for one in (mei, li, wang, zhao)] == [1, 0, 0, 0]
    assert counts(callback.received[-1]) == (4, 1, 1, 0)


def test_somebody_named_twice_gets_it_twice(sim, api, openids):
    api.post("message/mass/send", text([*openids, openids[0]]))

    sim.settle()
    told = sim.get("/sim/receipts", account="tea", contains="hi")
    assert told["twice"] == [{"openid": openids[0], "times": 2}]
    assert sim.inbox(openids[0])[-1]["times"] == 2


def test_a_subscription_account_sends_once_a_day(sim, account, openids):
    account = sim.account(kind="subscription")
    api = sim.api(account)

    assert api.post("message/mass/sendall", to_all("one"))["errcode"] == 0
    assert api.post("message/mass/sendall", to_all("two"))["errcode"] == 45028
    sim.advance(DAY)
    assert sim.api(account).post("message/mass/sendall", to_all("three"))["errcode"] == 0


def test_a_service_account_writes_to_all_four_times_a_month(sim, api, openids):
    codes = [api.post("message/mass/sendall", to_all(f"n{number}"))["errcode"] for number in range(5)]

    assert codes == [0, 0, 0, 0, 45028]


def test_sixty_calls_a_minute(sim, openids):
    api = sim.api(sim.account(mass_a_minute=60))
    codes = [api.post("message/mass/get", {"msg_id": 1})["errcode"] for _ in range(61)]

    assert codes == [40059] * 60 + [45011]
    sim.advance(61)
    assert api.post("message/mass/get", {"msg_id": 1})["errcode"] == 40059


def test_both_sends_share_a_days_calls(sim, openids):
    limits = {"/cgi-bin/message/mass/send": 2, "/cgi-bin/message/mass/sendall": 2}
    api = sim.api(sim.account(daily_limits=limits, mass_a_minute=0))

    assert api.post("message/mass/send", text(openids))["errcode"] == 0
    assert api.post("message/mass/sendall", to_all())["errcode"] == 0
    assert api.post("message/mass/send", text(openids, "again"))["errcode"] == 45009


def test_a_draft_dies_with_its_sending(sim, api, openids):
    media_id = api.draft(("One", "Two"))

    done = api.post("message/mass/send", {"touser": openids, "msgtype": "mpnews", "mpnews": {"media_id": media_id}})

    assert done["msg_data_id"] > 0
    sim.settle()
    item = sim.inbox(openids[0])[-1]
    assert [one["title"] for one in item["articles"]] == ["One", "Two"]
    assert "tea" in sim.http.get(item["articles"][0]["url"]).text
    assert api.post("draft/get", {"media_id": media_id})["errcode"] == 40007
    again = {"touser": openids, "msgtype": "mpnews", "mpnews": {"media_id": media_id}, "clientmsgid": "other"}
    assert api.post("message/mass/send", again)["errcode"] == 40007


def test_articles_can_be_deleted_one_or_all(sim, api, openids):
    body = {"touser": openids, "msgtype": "mpnews", "mpnews": {"media_id": api.draft(("One", "Two"))}}
    msg_id = api.post("message/mass/send", body)["msg_id"]
    sim.settle()

    assert api.post("message/mass/delete", {"msg_id": msg_id, "article_idx": 3})["errcode"] == 40060
    assert api.post("message/mass/delete", {"msg_id": msg_id, "article_idx": 2})["errcode"] == 0
    first, second = sim.inbox(openids[0])[-1]["articles"]
    assert (first["deleted"], second["deleted"]) == (False, True)
    assert [sim.http.get(one["url"]).status_code for one in (first, second)] == [200, 404]
    assert api.post("message/mass/get", {"msg_id": msg_id})["msg_status"] == "SEND_SUCCESS"
    assert api.post("message/mass/delete", {"msg_id": msg_id})["errcode"] == 0
    assert api.post("message/mass/get", {"msg_id": msg_id})["msg_status"] == "DELETE"
    assert api.post("message/mass/delete", {"msg_id": 5})["errcode"] == 40059


def test_a_text_or_an_unfinished_job_cannot_be_deleted(sim, api, openids):
    done = api.post("message/mass/send", text(openids))
    sim.settle()
    assert api.post("message/mass/delete", {"msg_id": done["msg_id"]})["errcode"] == 40065
    sim.account(moderation_seconds=60)
    body = {"touser": openids, "msgtype": "mpnews", "mpnews": {"media_id": api.draft()}}
    assert (
        api.post("message/mass/delete", {"msg_id": api.post("message/mass/send", body)["msg_id"]})["errcode"] == 40065
    )


def test_pictures_and_films(sim, api, openids):
    one, two = api.material(), api.material()
    film = api.material("video", b"\0\0\0\x14ftypisom" + b"\0" * 8, '{"title": "Harvest", "introduction": "In May"}')
    temporary = api.upload("video", b"\0\0\0\x14ftypisom" + b"\0" * 8)["media_id"]

    def send(type_, name, part):
        return api.post("message/mass/send", {"touser": openids, "msgtype": type_, name: part})["errcode"]

    assert send("image", "images", {"media_ids": [one, two], "recommend": "Look"}) == 0
    assert send("image", "image", {"media_id": one}) == 0
    assert send("mpvideo", "mpvideo", {"media_id": film}) == 0
    assert send("mpvideo", "mpvideo", {"media_id": temporary}) == 48013
    assert send("voice", "voice", {"media_id": one}) == -1
    assert send("mpnews", "mpnews", {"media_id": one}) == -1
    sim.settle()
    assert sim.inbox(openids[0])[0]["media_ids"] == [one, two]
    assert sim.inbox(openids[0])[-1]["title"] == "Harvest"


def test_a_preview_reaches_one_phone(sim, account, api, openids):
    body = {"touser": openids[0], "msgtype": "text", "text": {"content": "look"}}
    assert api.post("message/mass/preview", body)["errmsg"] == "preview success"
    assert sim.inbox(openids[0])[-1]["kind"] == "preview"
    assert api.post("message/mass/preview", body | {"towxname": "li"})["errcode"] == 0
    assert sim.inbox(openids[1])[-1]["text"] == "look"
    assert api.post("message/mass/preview", body | {"towxname": "nobody"})["errcode"] == 40132
    assert api.post("message/mass/preview", body | {"touser": "nobody"})["errcode"] == 40003
    sim.event(openids[2], "unsubscribe")
    assert api.post("message/mass/preview", body | {"touser": openids[2]})["errcode"] == 43004
    sim.account(daily_limits={"/cgi-bin/message/mass/preview": 6})
    assert [api.post("message/mass/preview", body)["errcode"] for _ in range(2)] == [0, 45009]


def counts(seen):
    body = seen["body"].decode()
    assert "<Event><![CDATA[MASSSENDJOBFINISH]]></Event>" in body
    names = ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    return tuple(int(re.search(f"<{name}>(\\d+)<", body)[1]) for name in names)


def sim_days_into_month(sim: Sim) -> int:
    return datetime.fromtimestamp(sim.get("/sim/clock")["now"] + 8 * 3600, UTC).day - 1
