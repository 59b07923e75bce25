"""Our calls as WeChat's server sees them; a small real server plays it."""

import json
import logging
import threading
import time
from datetime import timedelta

import pytest

from bot.wechat import errors
from bot.wechat.client import Client, fetch_stable_token

from .conftest import WeChat, raw

OPENID = "oFollower_1234567890-abcdefg"
HOUR = timedelta(hours=1)
SEND = "/cgi-bin/message/custom/send"


class Tokens:
    """Hands out T1, T2, …; remembers which it was told are stale."""

    def __init__(self) -> None:
        self.stale: list[str] = []

    def __call__(self, stale: str | None) -> str:
        if stale is not None:
            self.stale.append(stale)
        return f"T{len(self.stale) + 1}"


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def client(wechat: WeChat, tokens: Tokens):
    client = Client("wx1234567890abcdef", tokens, wechat.url, timeout=2)
    yield client
    client.close()


def test_sends_raw_utf8_with_the_token_in_the_query(client, wechat):
    client.send(OPENID, {"msgtype": "text", "text": {"content": "你好 👍"}})
    call = wechat.last
    assert (call.method, call.path, call.query) == ("POST", SEND, {"access_token": "T1"})
    assert call.json == {"touser": OPENID, "msgtype": "text", "text": {"content": "你好 👍"}}
    assert "你好 👍".encode() in call.body


MENU = {"button": [{"type": "click", "name": "菜单", "key": "V1"}]}


@pytest.mark.parametrize(
    ("name", "arguments", "method", "path", "query", "body"),
    [
        ("typing", (OPENID,), "POST", "message/custom/typing", {}, {"touser": OPENID, "command": "Typing"}),
        (
            "typing",
            (OPENID, False),
            "POST",
            "message/custom/typing",
            {},
            {"touser": OPENID, "command": "CancelTyping"},
        ),
        ("create_menu", (MENU,), "POST", "menu/create", {}, MENU),
        ("delete_menu", (), "GET", "menu/delete", {}, None),
    ],
)
def test_commands(client, wechat, name, arguments, method, path, query, body):
    getattr(client, name)(*arguments)
    call = wechat.last
    assert (call.method, call.path) == (method, f"/cgi-bin/{path}")
    assert call.query == {"access_token": "T1"} | query
    assert (call.json if call.body else None) == body


@pytest.mark.parametrize(
    ("name", "arguments", "path", "answer", "expected"),
    [
        ("get_menu", (), "menu/get", {"menu": MENU}, {"menu": MENU}),
        ("get_menu", (), "menu/get", {"errcode": 46003, "errmsg": "menu no exist rid: 1-2-3"}, None),
        ("current_menu", (), "get_current_selfmenu_info", {"is_menu_open": 1}, {"is_menu_open": 1}),
        ("current_autoreplies", (), "get_current_autoreply_info", {"is_autoreply_open": 0}, {"is_autoreply_open": 0}),
        (
            "follower_page",
            (),
            "user/get",
            {"total": 3, "count": 2, "data": {"openid": ["o1", "o2"]}, "next_openid": "o2"},
            (["o1", "o2"], "o2", 3),
        ),
        (
            "follower_page",
            ("o3",),
            "user/get",
            {"total": 3, "count": 0, "next_openid": ""},
            ([], "", 3),
        ),
        (
            "follower_infos",
            (["o1", "o2"],),
            "user/info/batchget",
            {"user_info_list": [{"subscribe": 0, "openid": "o2"}]},
            [{"subscribe": 0, "openid": "o2"}],
        ),
        ("tags", (), "tags/get", {"tags": [{"id": 2, "name": "星标组"}]}, [{"id": 2, "name": "星标组"}]),
        ("callback_ips", (), "getcallbackip", {"ip_list": ["1.2.3.0/24"]}, ["1.2.3.0/24"]),
    ],
)
def test_questions(client, wechat, name, arguments, path, answer, expected):
    wechat.answers[f"/cgi-bin/{path}"] = answer
    assert getattr(client, name)(*arguments) == expected


def test_asks_for_the_page_after_an_openid(client, wechat):
    wechat.otherwise = {"total": 3, "count": 0}
    client.follower_page("o3")
    assert wechat.last.query["next_openid"] == "o3"


def test_asks_for_at_most_a_hundred_followers(client, wechat):
    with pytest.raises(ValueError, match="100"):
        client.follower_infos(["o"] * 101)
    assert client.follower_infos([]) == []
    assert wechat.calls == []


@pytest.mark.parametrize(
    ("scene", "expires", "expected"),
    [
        (123, HOUR, {"action_name": "QR_SCENE", "expire_seconds": 3600, "scene": {"scene_id": 123}}),
        ("桌", HOUR, {"action_name": "QR_STR_SCENE", "expire_seconds": 3600, "scene": {"scene_str": "桌"}}),
        (1, None, {"action_name": "QR_LIMIT_SCENE", "scene": {"scene_id": 1}}),
        ("a", None, {"action_name": "QR_LIMIT_STR_SCENE", "scene": {"scene_str": "a"}}),
    ],
)
def test_makes_qrcodes(client, wechat, scene, expires, expected):
    wechat.answers["/cgi-bin/qrcode/create"] = {"ticket": "gQ", "url": "http://weixin.qq.com/q/k"}
    assert client.create_qrcode(scene, expires)["ticket"] == "gQ"
    body = wechat.last.json
    assert body.pop("action_info") == {"scene": expected.pop("scene")}
    assert body == expected


@pytest.mark.parametrize("field", ["media_id", "thumb_media_id"])
def test_uploads_the_whole_file_again_after_an_expired_token(client, wechat, tokens, field):
    data = bytes(range(256)) * 20

    def answer(handler):
        body = {"errcode": 42001, "errmsg": "expired"} if len(wechat.calls) == 1 else {"type": "image", field: "m1"}
        raw(200, json.dumps(body).encode())(handler)

    wechat.answers["/cgi-bin/media/upload"] = answer

    assert client.upload_media("image", '图"1.png', data, "image/png") == "m1"

    first, second = wechat.calls
    assert (first.query, second.query) == (
        {"type": "image", "access_token": "T1"},
        {"type": "image", "access_token": "T2"},
    )
    for call in (first, second):
        assert data in call.body
        assert b'name="media"' in call.body
        assert b"Content-Type: image/png" in call.body
    assert tokens.stale == ["T1"]


def test_downloads_a_file_with_its_name(client, wechat):
    headers = {"Content_Type": "image/jpeg", "Content_disposition": 'attachment; filename="a.jpg"'}
    wechat.answers["/cgi-bin/media/get"] = raw(200, b"\xff\xd8123", **headers)
    media = client.download_media("m1")
    assert media == (b"\xff\xd8123", "image/jpeg", "a.jpg", "")
    assert wechat.last.query == {"access_token": "T1", "media_id": "m1"}


def test_a_video_comes_as_an_address(client, wechat):
    wechat.answers["/cgi-bin/media/get"] = {"video_url": "http://v.cn/1"}
    assert client.download_media("m1").video_url == "http://v.cn/1"


def test_a_file_that_is_gone_is_an_error_not_a_file(client, wechat):
    wechat.answers["/cgi-bin/media/get"] = {"errcode": 40007, "errmsg": "invalid media_id hint: [x] rid: 1-2-3"}
    with pytest.raises(errors.WeChatError) as caught:
        client.download_media("m1")
    assert (caught.value.errcode, caught.value.rid, caught.value.retry) == (40007, "1-2-3", False)


# -- Tokens (T13, T16)


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_refused_token_is_renewed_once(client, wechat, tokens, errcode):
    """T13: two calls and one refresh, however long the server goes on refusing."""
    wechat.otherwise = {"errcode": errcode, "errmsg": "invalid credential rid: 1-2-3"}
    with pytest.raises(errors.TokenRefused):
        client.follower_page()
    assert [call.query["access_token"] for call in wechat.calls] == ["T1", "T2"]
    assert tokens.stale == ["T1"]


def test_a_message_goes_out_with_the_newer_token(client, wechat, tokens):
    answers = [{"errcode": 40001, "errmsg": "no"}, {"errcode": 0}]
    wechat.answers[SEND] = lambda handler: raw(200, json.dumps(answers[len(wechat.calls) - 1]).encode())(handler)
    client.send(OPENID, {"msgtype": "text", "text": {"content": "x"}})
    assert len(wechat.calls) == 2
    assert tokens.stale == ["T1"]


def test_wechatpy_never_fetches_a_token(wechat):
    client = Client("wx1", lambda stale: "", wechat.url, timeout=1)
    with pytest.raises(errors.BadConfiguration):
        client.get_menu()
    assert wechat.calls == []


def test_an_address_off_the_whitelist_is_tried_once(client, wechat, tokens):
    """T16."""
    wechat.otherwise = {
        "errcode": 40164,
        "errmsg": "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist",
    }
    with pytest.raises(errors.BadConfiguration) as caught:
        client.tags()
    assert not caught.value.retry
    assert "1.2.3.4" in caught.value.advice()
    assert len(wechat.calls) == 1
    assert tokens.stale == []


def test_threads_keep_their_own_tokens(wechat):
    local = threading.local()
    client = Client("wx1", lambda stale: local.name, wechat.url, timeout=5)
    wechat.answers["/cgi-bin/tags/get"] = {"tags": []}

    def work(name: str) -> None:
        local.name = name
        for _ in range(20):
            client.create_menu({"name": name})

    threads = [threading.Thread(target=work, args=(f"N{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wechat.calls) == 160
    assert all(call.query["access_token"] == call.json["name"] for call in wechat.calls)


# -- The stable token


def test_fetches_the_stable_token(wechat):
    wechat.otherwise = {"access_token": "AT", "expires_in": 7200}
    assert fetch_stable_token("wx1", "s3cret", wechat.url, 2, force=True) == ("AT", 7200)
    assert wechat.last.path == "/cgi-bin/stable_token"
    assert wechat.last.query == {}
    assert wechat.last.json == {
        "grant_type": "client_credential",
        "appid": "wx1",
        "secret": "s3cret",
        "force_refresh": True,
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"errcode": 40001, "errmsg": "invalid credential s3cret"}, errors.BadConfiguration),
        ({"errcode": 40125, "errmsg": "invalid appsecret"}, errors.BadConfiguration),
        ({"errcode": 40164, "errmsg": "invalid ip"}, errors.BadConfiguration),
        ({"errcode": 45011, "errmsg": "slower"}, errors.QuotaReached),
        ({"errcode": 0}, errors.OutcomeUnknown),
        ({"access_token": "", "expires_in": 7200}, errors.OutcomeUnknown),
        ({"access_token": "AT", "expires_in": "soon"}, errors.OutcomeUnknown),
    ],
)
def test_says_why_there_is_no_token(wechat, answer, error):
    wechat.otherwise = answer
    with pytest.raises(error) as caught:
        fetch_stable_token("wx1", "s3cret", wechat.url, 2)
    assert type(caught.value) is error
    assert len(wechat.calls) == 1
    assert "s3cret" not in str(caught.value)


# -- The network


def test_calls_no_other_address(client, wechat):
    wechat.otherwise = raw(302, b"", Location=f"{wechat.url}/elsewhere")
    with pytest.raises(errors.BadConfiguration):
        client.tags()
    assert [call.path for call in wechat.calls] == ["/cgi-bin/tags/get"]


def test_uses_no_proxy_of_the_environment(client, wechat, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    client.create_menu(MENU)


def test_keeps_a_path_of_the_base_address(wechat, tokens):
    wechat.answers["/relay/cgi-bin/tags/get"] = {"tags": []}
    assert Client("wx1", tokens, wechat.url + "/relay/", timeout=2).tags() == []


def test_a_connection_that_wechat_closed_meanwhile_is_not_used_again(client, wechat):
    def answer_and_close(handler):
        raw(200, b'{"errcode": 0}')(handler)
        handler.close_connection = True

    wechat.otherwise = answer_and_close
    for _ in range(5):
        client.send(OPENID, {"msgtype": "text", "text": {"content": "x"}})
        time.sleep(0.05)
    assert len(wechat.calls) == 5


def test_keeps_no_cookies(client, wechat):
    wechat.otherwise = raw(200, b'{"errcode": 0}', Set_Cookie="a=b")
    client.create_menu(MENU)
    client.create_menu(MENU)
    assert "Cookie" not in wechat.last.headers


def test_a_server_that_drips_does_not_hold_us_for_ever(wechat, tokens):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)

    wechat.otherwise = drip
    before = time.monotonic()
    with pytest.raises(errors.OutcomeUnknown):
        Client("wx1", tokens, wechat.url, timeout=0.2).tags()
    assert time.monotonic() - before < 1.5


def test_an_answer_may_hold_broken_characters(client, wechat):
    wechat.answers["/cgi-bin/tags/get"] = raw(200, b'{"tags": [{"id": 1, "name": "a\xff\x02"}]}')
    assert client.tags() == [{"id": 1, "name": "a\ufffd\x02"}]


def test_the_network_library_does_not_log_tokens(client, wechat, caplog):
    logging.getLogger().setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        client.create_menu(MENU)
    assert "T1" not in caplog.text
