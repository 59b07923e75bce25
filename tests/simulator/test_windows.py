"""Customer-service messages go through only while a window is open, and only so many."""

import pytest

HOUR = 3600


@pytest.fixture
def account(sim):
    return sim.account()


@pytest.fixture
def openid(sim, account):
    return sim.follower()


def send(sim, account, openid, times):
    api = sim.api(account)
    return [api.send(openid) for _ in range(times)]


def test_nobody_may_be_written_to_unasked(sim, account, openid):
    assert send(sim, account, openid, 1) == [45015]


def test_a_message_allows_five_within_48_hours(sim, account, openid):
    sim.say(openid)

    assert send(sim, account, openid, 6) == [0, 0, 0, 0, 0, 45047]
    assert [item["kind"] for item in sim.inbox(openid)] == ["customer"] * 5

    sim.say(openid)
    sim.advance(48 * HOUR - 5)
    assert send(sim, account, openid, 1) == [0]
    sim.advance(10)
    assert send(sim, account, openid, 1) == [45015]


@pytest.mark.parametrize("event", ["subscribe", "SCAN", "CLICK", "scancode_push", "scancode_waitmsg"])
def test_an_event_allows_three_within_a_minute(sim, account, openid, event):
    sim.event(openid, event, event_key="5")

    assert send(sim, account, openid, 4) == [0, 0, 0, 45047]
    sim.event(openid, event, event_key="5")
    sim.advance(61)
    assert send(sim, account, openid, 1) == [45015]


@pytest.mark.parametrize("event", ["VIEW", "view_miniprogram", "pic_sysphoto", "location_select", "LOCATION"])
def test_other_events_allow_nothing(sim, account, openid, event):
    sim.event(openid, event, event_key="5")

    assert send(sim, account, openid, 1) == [45015]


def test_the_window_that_closes_first_is_spent_first(sim, account, openid):
    sim.say(openid)
    sim.event(openid, "CLICK", event_key="k")
    assert send(sim, account, openid, 3) == [0, 0, 0]

    sim.advance(61)

    assert send(sim, account, openid, 6) == [0, 0, 0, 0, 0, 45047]


def test_a_tap_on_a_menu_item_counts_as_a_tap(sim, account, openid):
    sim.say(openid, "Yes", bizmsgmenuid="101")

    assert send(sim, account, openid, 4) == [0, 0, 0, 45047]


def test_leaving_closes_all(sim, account, openid):
    sim.say(openid)
    sim.event(openid, "unsubscribe")

    assert send(sim, account, openid, 1) == [45015]


def test_names_each_reason_why_someone_is_out_of_reach(sim, account, openid):
    sim.say(openid)
    api = sim.api(account)
    assert api.send("o" * 28) == 40003
    assert api.send("short") == 40003

    sim.post("/sim/followers", account="tea", name="mei", refuses_messages=True)
    assert api.send(openid) == 48002
    api.post("tags/members/batchblacklist", {"openid_list": [openid]})
    assert api.send(openid) == 43019


@pytest.mark.parametrize(
    ("type_", "part", "errcode"),
    [
        ("text", {"content": ""}, 44004),
        ("text", {"content": "字" * 683}, 45002),
        ("news", {"articles": [{"title": "a"}, {"title": "b"}]}, 45008),
        ("link", {"title": "a"}, 45162),
        ("poem", {"title": "a"}, 40008),
        ("image", {"media_id": "unknown"}, 40007),
        ("mpnewsarticle", {"article_id": "unknown"}, 53600),
        ("msgmenu", {"list": []}, 45098),
        ("news", {"articles": [{"title": "a", "url": "https://example.org"}]}, 0),
        ("msgmenu", {"head_content": "?", "list": [{"id": "1", "content": "Yes"}]}, 0),
    ],
)
def test_checks_what_is_sent(sim, account, openid, type_, part, errcode):
    sim.say(openid)

    answer = sim.api(account).post("message/custom/send", {"touser": openid, "msgtype": type_, type_: part})

    assert answer["errcode"] == errcode
    assert sim.get("/sim/windows", account="tea", openid=openid)["remaining"] == (4 if errcode == 0 else 5)


def test_a_picture_is_no_voice(sim, account, openid):
    sim.say(openid)
    api = sim.api(account)
    media_id = api.upload("image", b"GIF89a", "a.gif")["media_id"]

    def send(type_):
        return api.post("message/custom/send", {"touser": openid, "msgtype": type_, type_: {"media_id": media_id}})

    assert [send(type_)["errcode"] for type_ in ("voice", "video", "image")] == [40007, 40007, 0]


def test_refuses_escaped_text(sim, account, openid):
    sim.say(openid)
    raw = b'{"touser":"%s","msgtype":"text","text":{"content":"\\u4f60"}}' % openid.encode()

    assert sim.api(account).post("message/custom/send", raw)["errcode"] == 47002
    assert sim.api(account).post("message/custom/send", b"")["errcode"] == 44002
    assert sim.api(account).post("message/custom/send", b"{")["errcode"] == 47001
    assert sim.api(account).send(openid, "a\\u4f60") == 0  # a backslash that is itself escaped


def test_typing_needs_a_recent_word_and_lasts_a_while(sim, account, openid):
    api = sim.api(account)

    def typing(command="Typing"):
        return api.post("message/custom/typing", {"touser": openid, "command": command})["errcode"]

    assert typing() == 45080
    sim.say(openid)
    assert [typing("Dancing"), typing(), typing(), typing("CancelTyping"), typing()] == [45072, 0, 45081, 0, 0]
    assert api.send(openid) == 0
    assert typing() == 0  # a message ended the typing before
    sim.advance(31)
    assert typing() == 45080


def test_no_count_is_lost_among_threads(sim, account, openid):
    from concurrent.futures import ThreadPoolExecutor

    sim.say(openid)
    api = sim.api(account)

    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(lambda _: api.send(openid), range(20)))

    assert (codes.count(0), codes.count(45047)) == (5, 15)
    ledger = sim.get("/sim/ledger", account="tea")
    assert ledger["followers"] == {openid: {"customer": 5}}
    assert ledger["calls"]["/cgi-bin/message/custom/send"] == 20
