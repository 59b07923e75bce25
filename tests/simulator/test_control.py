"""Faults, the clock, what survives a restart, and refusals in plain words."""

import time

import pytest
import requests


def test_an_ordered_error_comes_as_often_as_ordered(sim):
    api = sim.api(sim.account())
    sim.post("/sim/faults", path="/cgi-bin/user/get", times=2, errcode=-1)

    assert [api.get("user/get").get("errcode") for _ in range(3)] == [-1, -1, None]


def test_an_error_for_ever_ends_when_faults_are_cleared(sim):
    api = sim.api(sim.account())
    sim.post("/sim/faults", path="/cgi-bin/user/get", times=0, errcode=40001)

    assert {api.get("user/get").get("errcode") for _ in range(5)} == {40001}
    sim.http.delete(sim.url + "/sim/faults")
    assert "errcode" not in api.get("user/get")
    assert sim.get("/sim/ledger", account="tea")["calls"]["/cgi-bin/user/get"] == 6


def test_a_status_and_a_delay(sim):
    api = sim.api(sim.account())
    sim.post("/sim/faults", path="/cgi-bin/user/get", status=503)
    sim.post("/sim/faults", path="/cgi-bin/user/get", delay_ms=300)

    url, query = f"{sim.url}/cgi-bin/user/get", {"access_token": api.token}
    assert sim.http.get(url, params=query).status_code == 503
    started = time.monotonic()
    assert sim.http.get(url, params=query).json()["total"] == 0
    assert time.monotonic() - started > 0.3


def test_a_cut_reply_has_done_its_work(sim):
    account = sim.account()
    openid = sim.follower()
    sim.say(openid)
    api = sim.api(account)
    sim.post("/sim/faults", path="/cgi-bin/message/custom/send", cut="reply")

    with pytest.raises(requests.RequestException):
        api.send(openid)

    assert len(sim.inbox(openid)) == 1
    assert api.send(openid) == 0


def test_faults_of_the_token_call(sim):
    account = sim.account()
    sim.post("/sim/faults", path="/cgi-bin/stable_token", errcode=45011)

    assert sim.stable(account)["errcode"] == 45011
    assert "access_token" in sim.stable(account)


@pytest.mark.parametrize(("cut", "received"), [("push", 1), ("reply", 2)])
def test_lost_and_doubled_pushes(sim, callback, cut, received):
    sim.account(callback_url=callback.url)
    sim.post("/sim/faults", path="callback", cut=cut)

    done = sim.say(sim.follower())

    assert [attempt["status"] for attempt in done["attempts"]] == [None, 200]
    assert len(callback.received) == received


def test_the_clock_is_written_for_others_to_follow(start, tmp_path):
    file = tmp_path / "clock"
    sim = start(clock_file=file)
    assert float(file.read_text()) == 0

    sim.advance(3600)

    assert file.read_text() == "3600.0"
    told = sim.get("/sim/clock")
    assert told["offset_seconds"] == 3600
    assert abs(told["now"] - time.time() - 3600) < 5


def test_all_survives_a_restart(start, tmp_path):
    sim = start()
    account = sim.account()
    openid = sim.follower()
    sim.say(openid)
    api = sim.api(account)
    sim.advance(60)
    api.send(openid)

    again = start(clock_file=tmp_path / "clock")

    assert again.get("/sim/accounts") == [account]
    assert again.follower() == openid
    assert len(again.inbox(openid)) == 1
    assert again.get("/sim/clock")["offset_seconds"] == 60
    assert (tmp_path / "clock").read_text() == "60.0"
    assert again.api(account, api.token).send(openid) == 0


def test_inboxes_can_be_read_on(sim):
    account = sim.account()
    openid = sim.follower()
    sim.say(openid)
    api = sim.api(account)
    api.send(openid, "one")
    first = sim.inbox(openid)[-1]["id"]
    api.send(openid, "two")

    later = sim.get(f"/sim/followers/{openid}/inbox", account="tea", after=first)

    assert [item["text"] for item in later] == ["two"]


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/sim/messages", {"account": "nope", "openid": "o"}, 404, "nope"),
        ("/sim/messages", {"account": "tea", "openid": "o"}, 404, "follower"),
        ("/sim/messages", {"account": "tea"}, 400, "openid"),
        ("/sim/accounts", {"account": "tea", "mode": "loud"}, 400, "mode"),
        ("/sim/accounts", {"account": "tea", "colour": "red"}, 400, "colour"),
        ("/sim/accounts", {}, 400, "account"),
        ("/sim/followers", {"account": "tea"}, 400, "name"),
        ("/sim/faults", {"path": "callback"}, 400, "errcode"),
        ("/sim/faults", {"path": "/cgi-bin/token", "errcode": 12345}, 400, "12345"),
        ("/sim/faults", {"path": "/cgi-bin/tokens", "errcode": -1}, 400, "/cgi-bin/tokens"),
        ("/sim/faults", {"path": "callback", "account": "nope", "status": 500}, 404, "nope"),
        ("/sim/faults", {"path": "callback", "errcode": -1}, 400, "errcode"),
        ("/sim/faults", {"path": "/cgi-bin/token", "cut": "push"}, 400, "cut"),
        ("/sim/verify", {"account": "tea"}, 400, "callback_url"),
        ("/sim/accounts", {"account": "tea", "ip_whitelist": ["here"]}, 400, "ip_whitelist"),
        ("/sim/clock", {"advance_seconds": 1e12}, 400, "ten years"),
        ("/sim/menus", {"account": "tea", "button": [{"name": "更多", "sub_button": {"list": ["x"]}}]}, 400, "button"),
        ("/sim/autoreplies", {"account": "tea", "keyword_autoreply_info": "x"}, 400, "keyword_autoreply_info"),
        ("/sim/nothing", {}, 404, "POST /sim/nothing"),
    ],
)
def test_explains_what_is_wrong(sim, path, body, status, word):
    sim.account()

    answer = sim.http.post(sim.url + path, json=body)

    assert answer.status_code == status
    assert word in answer.json()["error"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"text": None}, "text"),
        ({"text": "hello", "two words": 1}, "two words"),
        ({"type": "location", "latitude": None}, "latitude"),
        ({"type": "location", "longitude": "nan"}, "longitude"),
        ({"type": "location", "scale": {}}, "scale"),
    ],
)
def test_explains_what_is_wrong_with_a_message(sim, fields, word):
    sim.account()

    done = sim.post("/sim/messages", account="tea", openid=sim.follower(), **fields)

    assert word in done["error"]


@pytest.mark.parametrize(
    "raw",
    [
        '{"advance_seconds": NaN}',
        '{"advance_seconds": 1e400}',
        '{"advance_seconds": 1000000000000000000000}',
        '{"advance_seconds": "\\ud800"}',
        "[" * 100_000,
    ],
    ids=["nan", "infinite", "too large", "half a character", "too deep"],
)
def test_refuses_json_that_only_python_reads(sim, raw):
    headers = {"Content-Type": "application/json"}

    answer = sim.http.post(sim.url + "/sim/clock", data=raw, headers=headers)

    assert (answer.status_code, "no JSON" in answer.text) == (400, True)
    account = sim.account()
    for path in ("user/tag/get", "tags/delete", "message/custom/send"):
        assert sim.api(account).post(path, raw.encode())["errcode"] in (47001, 47002)


def test_a_stranger_has_no_window(sim):
    sim.account()

    assert "has no follower o" in sim.get("/sim/windows", account="tea", openid="o")["error"]


def test_reads_on_from_any_number(sim):
    sim.account()

    assert sim.get(f"/sim/followers/{sim.follower()}/inbox", account="tea", after=10**30) == []


def test_takes_only_real_json(sim):
    answer = sim.http.post(sim.url + "/sim/accounts", data='{"account":"tea"}')

    assert answer.status_code == 400


def test_an_appid_belongs_to_one_account(sim):
    appid = sim.account()["appid"]

    answer = sim.http.post(sim.url + "/sim/accounts", json={"account": "cake", "appid": appid})

    assert answer.status_code == 400
    assert sim.account(title="茶馆")["appid"] == appid
