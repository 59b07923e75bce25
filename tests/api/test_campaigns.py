"""A campaign from the first draft to the last recipient, by API alone, on the real engine and against the simulator."""

import io
from datetime import timedelta

import pytest
import requests
from PIL import Image

from bot import clock
from bot.database import transaction
from bot.jobs import campaigns as jobs
from bot.services import accounts, api_tokens
from bot.wechat.client import fetch_stable_token
from tests.api.campaign_rows import PLAN, STORY
from tests.api.conftest import Api
from tests.jobs.campaigner import Campaigner
from tests.jobs.test_campaigns import until

AT = "/accounts/practice/campaigns"
TEXT = {"kind": "text", "text": "{{nickname|朋友}}，秋茶上新。"}
SERVICE = {**PLAN, "channel": "service", "variants": [{"content": TEXT}]}


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    marketer = Campaigner(create, sim, live, followers=6)
    for openid in marketer.openids:
        sim.say(marketer.account, openid, "你好")
    return marketer


@pytest.fixture
def named(client, marketer):
    """With a token of this name."""

    def named(name: str) -> Api:
        with transaction() as session:
            account = marketer.here(session)
            scopes = ["campaigns:read", "campaigns:write"]
            return Api(client, api_tokens.create(session, account=account, name=name, scopes=scopes))

    return named


def launched(api, marketer, plan=SERVICE) -> str:
    """Its address, with the audience frozen."""
    one = f"{AT}/{api.post(AT, plan).json['id']}"
    assert api.post(f"{one}/launch", {"version": 1}).status_code == 202
    advance(one)
    return one


def advance(one: str) -> None:
    jobs.advance(int(one.rpartition("/")[2]))


def sent(api, marketer, plan=SERVICE) -> str:
    one = launched(api, marketer, plan)
    marketer.sim.wait(31)
    advance(one)
    return one


def numbers(api, one: str) -> dict[str, int]:
    stands = api.get(f"{one}/progress").json
    return {name: stands[name] for name in ("sent", "left", "failed", "unknown", "skipped") if stands[name]}


@pytest.mark.databases
def test_from_the_first_draft_to_the_last_recipient(api, marketer):
    [late] = marketer.meet(1)
    made = api.post(AT, SERVICE)
    assert (made.status_code, made.json["status"], made.json["who"]) == (201, "draft", "test")
    one = f"{AT}/{made.json['id']}"
    people = {each["openid"]: each["id"] for each in api.get("/accounts/practice/followers").json["items"]}
    first = people[marketer.openids[0]]

    forecast = api.get(f"{one}/forecast").json
    assert (forecast["deliverable"], forecast["excluded"]) == (6, {"no_window": 1})
    assert api.get(f"{one}/problems").json == {"items": [], "refusal": None}
    shown = api.get(f"{one}/preview?follower_id={first}").json
    assert shown["content"]["text"] == "小李，秋茶上新。"
    assert api.get(f"{one}/preview").json["content"]["text"] == "朋友，秋茶上新。"
    assert api.get(f"{one}/preview?variant=1").status_code == 404
    assert len(api.get(f"{one}/worst-cases").json["items"]) == 1

    assert api.post(f"{one}/launch", {"version": 1}).json["status"] == "preparing"
    assert api.post(f"{one}/launch", {"version": 1}).status_code == 409
    advance(one)
    assert api.get(one).json["status"] == "scheduled"
    marketer.sim.wait(31)
    advance(one)

    stands = api.get(f"{one}/progress").json
    assert (stands["status"], stands["total"], stands["excluded"]) == ("finished", 6, {"no_window": 1})
    assert numbers(api, one) == {"sent": 6}
    assert marketer.received()["once"] == 6
    page = api.get(f"{one}/recipients?status=sent&limit=4").json
    rest = api.get(f"{one}/recipients?status=sent&limit=4&after={page['next']}").json
    assert {each["openid"] for each in page["items"] + rest["items"]} == set(marketer.openids) - {late}
    assert rest["next"] is None
    [why] = api.get(f"{one}/recipients?reason=no_window").json["items"]
    assert api.get(f"{one}/recipients/{people[late]}").json == why
    assert why["sentence"] == "WeChat's reply window was closed: they had not written lately."
    assert api.get(f"{one}/recipients/{first}").json["sentence"] == "WeChat took it for them."
    assert api.get(f"{AT}?status=finished").json["items"][0]["id"] == made.json["id"]
    assert api.get(f"{AT}?status=draft").json["items"] == []


def test_who_was_not_meant_is_told_so(api, marketer):
    one = f"{AT}/{api.post(AT, SERVICE).json['id']}"
    [someone] = api.get("/accounts/practice/followers?limit=1").json["items"]
    before = api.get(f"{one}/recipients/{someone['id']}").json
    assert (before["status"], before["sentence"]) == (None, "It was not launched yet.")

    one = launched(api, marketer)
    marketer.meet(1)
    [new] = api.get("/accounts/practice/followers?limit=1").json["items"]
    assert api.get(f"{one}/recipients/{new['id']}").json["sentence"].startswith("It was not meant for them")
    assert api.get(f"{one}/recipients/999999").status_code == 404


def test_who_saves_second_learns_who_was_first(named):
    mei, qiang = named("小美"), named("阿强")
    one = f"{AT}/{mei.post(AT, PLAN).json['id']}"

    assert mei.put(one, {**PLAN, "name": "春茶", "version": 1}).json["version"] == 2
    refused = qiang.put(one, {**PLAN, "name": "夏茶", "version": 1})

    assert refused.status_code == 409
    assert refused.json["error"]["message"] == "小美 has changed “春茶” meanwhile."
    assert qiang.put(one, {**PLAN, "name": "夏茶", "version": 2}).json["who"] == "阿强"
    assert qiang.post(f"{one}/launch", {"version": 2}).status_code == 409
    assert qiang.put(one, {**PLAN, "name": "冬茶"}).json["error"]["field"] == "version"


def test_a_copy_is_a_draft_without_a_start(api, marketer):
    one = f"{AT}/{api.post(AT, {**PLAN, 'starts': '2099-11-25T09:00', 'pace': 50}).json['id']}"

    copy = api.post(f"{one}/copy", {"name": "再来一次"}).json

    assert (copy["name"], copy["starts"], copy["pace"], copy["status"]) == ("再来一次", "", 50, "draft")
    assert api.post(f"{one}/copy").json["name"] == "秋茶上新"
    assert api.delete(one).status_code == 204
    assert api.delete(launched(api, marketer)).status_code == 409


@pytest.mark.parametrize("names", [("小美", "小美"), ("", "")])
def test_a_token_does_not_approve_what_it_launched(named, marketer, names):
    with transaction() as session:
        marketer.here(session).approval_above = 5
    first, second = named(names[0]), named("阿强" if names[1] else "")
    one = launched(first, marketer)
    assert first.get(f"{one}/forecast").json["needs_approval"]
    assert first.get(one).json["status"] == "waiting"

    assert first.post(f"{one}/approve", {"version": 1}).status_code == 403
    assert second.post(f"{one}/approve", {"version": 2}).status_code == 409
    assert second.post(f"{one}/approve", {"version": 1}).json["status"] == "scheduled"
    marketer.sim.wait(31)
    advance(one)
    assert numbers(first, one) == {"sent": 6}


def test_two_tokens_of_one_name_are_one_person(named, marketer):
    with transaction() as session:
        marketer.here(session).approval_above = 5
    one = launched(named("小美"), marketer)

    assert named("小美").post(f"{one}/approve", {"version": 1}).status_code == 403


def test_it_is_steered_while_it_goes(api, marketer):
    one = launched(api, marketer)
    back = api.post(f"{one}/undo").json
    assert (back["status"], back["audience"], back["starts_at"]) == ("draft", None, None)
    assert api.post(f"{one}/launch", {"version": 1}).status_code == 202
    advance(one)
    assert api.put(f"{one}/start", {"starts": "2099-11-25T09:00"}).json["starts_at"] == "2099-11-25T01:00:00Z"
    assert api.put(f"{one}/start", {"starts": "2020-11-25T09:00"}).json["error"]["field"] == "starts"
    assert api.put(f"{one}/start", {"starts": ""}).status_code == 200
    marketer.sim.wait(31)
    assert api.post(f"{one}/begin-now").json["status"] == "sending"
    assert api.post(f"{one}/pause").json["status"] == "paused"
    assert api.put(f"{one}/pace", {"pace": 2}).json["pace"] == 2
    advance(one)
    assert numbers(api, one) == {"left": 6}
    assert api.post(f"{one}/resume").json["status"] == "sending"
    assert api.put(f"{one}/pace", {"pace": None}).json["pace"] is None
    assert api.put(f"{one}/pace", {"pace": 0}).status_code == 422
    assert api.post(f"{one}/cancel").json["status"] == "cancelled"
    advance(one)

    assert numbers(api, one) == {"skipped": 6}
    assert marketer.received()["receipts"] == 0
    assert [api.post(f"{one}/{act}").status_code for act in ("undo", "pause", "resume", "cancel", "begin-now")] == (
        [409] * 5
    )


def test_one_whose_start_was_missed_begins_when_somebody_says_so(api, marketer):
    one = launched(api, marketer)
    marketer.sim.wait(2 * 3600)
    advance(one)
    assert api.get(one).json["status"] == "missed"
    assert marketer.received()["receipts"] == 0

    assert api.post(f"{one}/begin-now").json["status"] == "sending"
    advance(one)
    assert numbers(api, one) == {"sent": 6}


def test_what_failed_is_told_by_code_and_sent_again(api, marketer):
    marketer.fault("/cgi-bin/message/custom/send", times=2, errcode=40008)
    one = sent(api, marketer)

    [error] = api.get(f"{one}/errors").json["items"]
    assert error == {"errcode": 40008, "count": 2, "advice": "This type of message cannot be sent this way."}
    failed = api.get(f"{one}/recipients?errcode=40008").json["items"]
    assert [each["advice"] for each in failed] == [error["advice"]] * 2
    assert api.post(f"{one}/retry-failed").json == {"changed": 2}
    advance(one)
    assert numbers(api, one) == {"sent": 6}
    assert api.post(f"{one}/retry-failed").status_code == 422
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)


@pytest.mark.parametrize(("act", "twice"), [("send-again", 1), ("count-as-sent", 0)])
def test_what_is_not_known_is_decided_about_by_a_person(api, marketer, act, twice):
    marketer.fault("/cgi-bin/message/custom/send", times=1, cut="reply")
    one = sent(api, marketer)
    assert numbers(api, one) == {"sent": 5, "unknown": 1}
    assert api.get(f"{one}/progress").json["review"] == 1

    assert api.post(f"{one}/unknown/{act}").json == {"changed": 1}
    advance(one)

    assert numbers(api, one) == {"sent": 6}
    assert api.get(f"{one}/progress").json["review"] == 0
    assert marketer.received()["more"] == twice  # the answer got lost, the message did not


def test_a_test_message_is_not_taken_for_another(api, marketer, work):
    one = f"{AT}/{api.post(AT, SERVICE).json['id']}"
    first, second = (each["id"] for each in api.get("/accounts/practice/followers?limit=2").json["items"])

    task = api.post(f"{one}/test", {"follower_id": first})
    assert task.status_code == 202
    assert api.post(f"{one}/test", {"follower_id": first}).json["id"] == task.json["id"]
    assert api.post(f"{one}/test", {"follower_id": second}).status_code == 409
    work()
    assert api.get(f"/accounts/practice/tasks/{task.json['id']}").json["status"] == "done"
    assert api.post(f"{one}/test", {"follower_id": second}).status_code == 202
    assert api.post(f"{one}/test", {"follower_id": 999_999}).status_code == 404


def test_articles_are_taken_back_and_one_campaign_at_a_time(api, marketer, work):
    story = {**STORY["articles"][0], "thumb_media_id": cover(marketer)}
    articles = {**PLAN, "variants": [{"content": {"kind": "articles", "articles": [story]}}]}
    one, other = sent(api, marketer, articles), sent(api, marketer, articles)
    until(lambda: api.get(other).json["status"] == "finished")

    task = api.post(f"{one}/recall")
    assert (task.status_code, task.json["kind"]) == (202, "campaign_recall")
    assert api.post(f"{other}/recall").status_code == 409
    work()
    assert api.get(f"/accounts/practice/tasks/{task.json['id']}").json["status"] == "done"
    assert api.post(f"{other}/recall").status_code == 202
    assert api.post(f"{sent(api, marketer)}/recall").status_code == 422


def cover(marketer) -> str:
    """A picture that WeChat keeps."""
    account, address = marketer.account, marketer.sim.address
    token, _seconds = fetch_stable_token(account.appid, accounts.secret(account), address, timeout=5)
    file = io.BytesIO()
    Image.new("RGB", (240, 180)).save(file, "JPEG")
    answer = requests.post(
        f"{address}/cgi-bin/material/add_material",
        params={"access_token": token, "type": "image"},
        files={"media": ("cover.jpg", file.getvalue())},
        timeout=10,
    )
    return str(answer.json()["media_id"])


def test_what_a_launch_would_refuse_is_told_before(api, marketer):
    words = {"kind": "text", "text": "{{nickname}}，你好"}
    one = f"{AT}/{api.post(AT, {**PLAN, 'variants': [{'content': words}]}).json['id']}"

    told = api.get(f"{one}/problems").json

    sentence = "A mass message says the same to everybody: {{nickname}} works on other channels only."
    assert told["items"] == [{"variant": 0, "sentence": sentence, "is_error": True}]
    assert told["refusal"] == {"message": sentence, "field": "variants.0.content"}
    assert api.post(f"{one}/launch", {"version": 1}).json["error"] == {
        "code": "invalid", "message": sentence, "field": "variants.0.content"
    }  # fmt: skip


def test_the_calendar_has_each_days_campaigns_and_mass_calls(api, marketer):
    today = (clock.now() + timedelta(hours=8)).date()  # in Shanghai
    later = today + timedelta(days=3)
    planned = api.post(AT, {**PLAN, "starts": f"{later}T09:00"}).json["id"]
    one = sent(api, marketer, PLAN)
    until(lambda: api.get(one).json["status"] == "finished")
    soon = f"{AT}/{api.post(AT, {**PLAN, 'starts': f'{later}T10:00'}).json['id']}"
    assert api.post(f"{soon}/launch", {"version": 1}).status_code == 202
    advance(soon)
    assert api.post(f"{launched(api, marketer, PLAN)}/undo").status_code == 200

    days = api.get(f"{AT}/calendar?since={today}&until={later}").json["days"]

    assert [(day["day"], [each["id"] for each in day["campaigns"]]) for day in days if day["campaigns"]] == [
        (str(today), [int(one.rpartition("/")[2])]),
        (str(later), [planned, int(soon.rpartition("/")[2])]),
    ]
    assert [(day["calls_made"], day["calls_due"], day["calls_left"]) for day in days] == [
        (1, 0, 99), (0, 0, 100), (0, 0, 100), (0, 1, 99)
    ]  # fmt: skip
    assert len(api.get(f"{AT}/calendar").json["days"]) == 31
    for odd in (f"since={later}&until={today}", "since=2026-01-01&until=2026-12-31", "since=9999-12-31", "since=x"):
        assert api.get(f"{AT}/calendar?{odd}").status_code == 422


@pytest.mark.parametrize("more", [{"status": "sending"}, {"approved_by": "me"}, {"launched_by": ""}, {"salt": "0"}])
def test_t24_a_plan_cannot_say_how_it_stands(api, marketer, more):
    one = f"{AT}/{api.post(AT, PLAN).json['id']}"

    assert api.post(AT, PLAN | more).json["error"]["field"] == next(iter(more))
    assert api.put(one, PLAN | more | {"version": 1}).status_code == 422
    assert api.post(AT, {**PLAN, "variants": [{"content": TEXT | {"url": "x"}}]}).status_code == 422
