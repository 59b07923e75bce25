"""Which error says what, and that none of them gives a secret away (T12)."""

import contextlib
import pickle
import re
import socket
import traceback
from collections.abc import Callable

import pytest

from bot.wechat import errors
from bot.wechat.client import Client, fetch_stable_token
from bot.wechat.errors import refusal

from .conftest import WeChat, raw

CANARY = "CANARY-t0ken-s3cret"
TEXT = {"msgtype": "text", "text": {"content": "hi"}}


@pytest.mark.parametrize(
    ("errcode", "kind", "retry"),
    [
        (45015, errors.WindowClosed, False),
        (45047, errors.WindowClosed, False),
        (43004, errors.WindowClosed, False),
        (48002, errors.WindowClosed, False),
        (43019, errors.WindowClosed, False),
        (40003, errors.WindowClosed, False),
        (70000, errors.WindowClosed, False),
        (40001, errors.TokenRefused, True),
        (40014, errors.TokenRefused, True),
        (42001, errors.TokenRefused, True),
        (45009, errors.QuotaReached, True),
        (45011, errors.QuotaReached, True),
        (45028, errors.QuotaReached, True),
        (48001, errors.BadConfiguration, False),
        (40164, errors.BadConfiguration, False),
        (61004, errors.BadConfiguration, False),
        (89503, errors.BadConfiguration, False),
        (40243, errors.BadConfiguration, False),
        (40013, errors.BadConfiguration, False),
        (40125, errors.BadConfiguration, False),
        (41002, errors.BadConfiguration, False),
        (41004, errors.BadConfiguration, False),
        (-1, errors.Temporary, True),
        (268487001, errors.Temporary, True),
        (268488001, errors.Temporary, True),
        (40018, errors.WeChatError, False),
        (99999, errors.WeChatError, False),
    ],
)
def test_knows_the_kind_of_each_code(errcode, kind, retry):
    error = refusal(errcode, "x", "/call")
    assert type(error) is kind
    assert error.retry is retry


# Every code that the reference lists for tokens, menus, custom send, users, tags, QR codes and media.
DOCUMENTED = """
40001 40002 40013 40014 40125 40164 40243 41001 41002 41004 42001 43002 45009 45011 50004 50007 61004 89501 89503 89506
89507 40015 40016 40017 40018 40019 40020 40022 40023 40024 40025 40026 40027 40033 40054 40055 40117 40118 40119 40120
40121 40155 40166 41007 45010 45064 46002 46003 48001 53600 65301 65302 65303 65304 65305 65306 65307 65308 65309 65310
65311 65312 65313 65314 65316 65317 65318 65319 65320 45008 45098 45099 40200 45162 45002 45015 45047 48002 43019 43004
40003 70000 45087 45048 45049 45050 45051 45052 45080 45081 45072 40032 40092 45056 45157 45158 45059 45058 45057 45159
45169 45171 49003 50005 268487001 268487002 40052 40053 45029 40004 40005 40006 40007 40009 40010 40011 40012 40113
41005 44001 45001 45007 46001 45003 45004 45005 45006 40008 44004 47001 47002 47003 48008 -1 43003
"""


@pytest.mark.parametrize("errcode", [int(code) for code in DOCUMENTED.split()])
def test_says_in_both_languages_what_to_do(errcode):
    error = refusal(errcode, "x", "/call")
    assert error.advice() != errors.WeChatError.words[0]
    assert error.advice("zh-CN") != errors.WeChatError.words[1]
    assert re.search("[a-z]{3}", error.advice("en"))
    assert re.search("[\u4e00-\u9fff]{2}", error.advice("zh-CN"))


def test_has_words_for_an_unknown_code():
    assert refusal(99999, "x", "/call").advice("zh-CN") == errors.WeChatError.words[1]


def test_no_code_stands_in_two_rows():
    codes = [code for row in errors._ROWS for code in row[0]]
    assert len(codes) == len(set(codes))


def test_keeps_the_rid_apart():
    error = refusal(40007, "invalid media_id hint: [uX-1] rid: 692e50c2-5b0026e0-6a78a5f8", "/cgi-bin/media/get")
    assert (error.errmsg, error.rid) == ("invalid media_id hint: [uX-1]", "692e50c2-5b0026e0-6a78a5f8")
    assert str(error) == "/cgi-bin/media/get: 40007 invalid media_id hint: [uX-1] (rid 692e50c2-5b0026e0-6a78a5f8)"


def test_an_errmsg_cannot_write_lines_into_the_log():
    assert "\n" not in str(refusal(40007, "a\r\nlevel=error \x1b[2J" + "b" * 5000, "/call"))
    assert len(str(refusal(40007, "b" * 5000, "/call"))) < 400


def test_says_how_long_a_quota_is_used_up():
    assert refusal(45011, "", "").retry_after == 60
    assert 0 < refusal(45009, "", "").retry_after <= 86_400


def test_survives_a_job_queue():
    error = pickle.loads(pickle.dumps(refusal(45015, "out of time rid: 1-2-3", "/call")))
    assert type(error) is errors.WindowClosed
    assert (error.errcode, error.rid, error.call) == (45015, "1-2-3", "/call")


# -- Twelve ways to fail (T12)


def cut(handler) -> None:
    raw(200, b'{"errcode": 0', Content_Length="500")(handler)
    handler.wfile.flush()
    handler.close_connection = True


def cut_chunks(handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b'5\r\n{"err\r\n')
    handler.wfile.flush()
    handler.close_connection = True


def hang_up(handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def wait(handler) -> None:
    with contextlib.suppress(OSError):
        handler.connection.settimeout(3)
        handler.connection.recv(1)


@contextlib.contextmanager
def full_backlog():
    """An address that takes no connection."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield url
        for one in waiting:
            one.close()


def answers(answer) -> Callable[[WeChat], str]:
    def prepare(wechat: WeChat) -> str:
        wechat.otherwise = answer
        return wechat.url

    return prepare


def refused_connection(_wechat: WeChat) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


ECHO = f"invalid credential {CANARY}, see https://x?access_token={CANARY}"
FAILURES = {
    "unknown name": (lambda _: f"http://{'x' * 20}.invalid", errors.NotSent),
    "refused connection": (refused_connection, errors.NotSent),
    "no TLS there": (lambda wechat: wechat.url.replace("http", "https"), (errors.NotSent, errors.OutcomeUnknown)),
    "timeout": (answers(wait), errors.OutcomeUnknown),
    "hung up": (answers(hang_up), errors.OutcomeUnknown),
    "cut reply": (answers(cut), errors.OutcomeUnknown),
    "cut chunks": (answers(cut_chunks), errors.OutcomeUnknown),
    "broken JSON": (answers(raw(200, b'{"errcode": 0')), errors.OutcomeUnknown),
    "deep JSON": (answers(raw(200, b"[" * 100_000)), errors.OutcomeUnknown),
    "huge number": (answers(raw(200, b'{"errcode": ' + b"9" * 5000 + b"}")), errors.OutcomeUnknown),
    "a list": (answers(raw(200, b"[]")), errors.OutcomeUnknown),
    "odd errcode": (answers({"errcode": "x"}), errors.OutcomeUnknown),
    "another JSON": (answers({"status": "ok"}), errors.OutcomeUnknown),
    "HTML": (answers(raw(200, b"<html>login</html>", Content_Type="text/html")), errors.OutcomeUnknown),
    "empty": (answers(raw(200, b"")), errors.OutcomeUnknown),
    "502": (answers(raw(502, b"<html>bad gateway</html>")), errors.OutcomeUnknown),
    "503": (answers(raw(503)), errors.Temporary),
    "500": (answers(raw(500)), errors.OutcomeUnknown),
    "504": (answers(raw(504)), errors.OutcomeUnknown),
    "404": (answers(raw(404)), errors.BadConfiguration),
    "redirect": (answers(raw(302, b"", Location=f"/x?access_token={CANARY}")), errors.BadConfiguration),
    "bad gzip": (answers(raw(200, b"no gzip", Content_Encoding="gzip")), errors.OutcomeUnknown),
    "40164": (answers({"errcode": 40164, "errmsg": ECHO}), errors.BadConfiguration),
    "45015": (answers({"errcode": 45015, "errmsg": ECHO}), errors.WindowClosed),
}


@pytest.mark.parametrize("name", FAILURES)
def test_no_failure_gives_a_secret_away(wechat, name, caplog):
    prepare, kind = FAILURES[name]
    url = prepare(wechat)
    client = Client("wx1234567890abcdef", lambda stale: CANARY, url, timeout=0.3)
    for call in (
        lambda: client.send("oFollower", TEXT),
        lambda: fetch_stable_token("wx1234567890abcdef", CANARY, url, timeout=0.3),
    ):
        with pytest.raises(errors.WeChatError) as caught, caplog.at_level("DEBUG"):
            call()
        error = caught.value
        assert type(error) in (kind if isinstance(kind, tuple) else (kind,))
        assert error.call
        assert error.__cause__ is None
        assert error.__context__ is None
        shown = [str(error), repr(error), *traceback.format_exception(error), error.advice(), error.advice("zh-CN")]
        assert CANARY not in "".join(shown) + caplog.text


def test_a_token_refused_for_ever_gives_nothing_away(wechat):
    wechat.otherwise = {"errcode": 40001, "errmsg": ECHO}
    client = Client("wx1", lambda stale: CANARY, wechat.url, timeout=1)
    with pytest.raises(errors.TokenRefused) as caught:
        client.tags()
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(errors.BadConfiguration) as caught:
        fetch_stable_token("wx1", CANARY, wechat.url, timeout=1)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_no_connection_in_time_means_not_sent():
    with full_backlog() as url:
        client = Client("wx1", lambda stale: CANARY, url, timeout=0.2)
        with pytest.raises(errors.NotSent) as caught:
            client.send("oFollower", TEXT)
    assert caught.value.retry


@pytest.mark.parametrize(
    "name", ["timeout", "hung up", "cut reply", "broken JSON", "HTML", "502", "504", "another JSON"]
)
def test_a_message_that_may_have_arrived_is_not_to_be_repeated_but_a_question_may(wechat, name):
    client = Client("wx1", lambda stale: "T", FAILURES[name][0](wechat), timeout=0.3)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        client.send("oFollower", TEXT)
    assert not caught.value.retry
    assert len(wechat.calls) == 1
    with pytest.raises(errors.OutcomeUnknown) as caught:
        client.tags()
    assert caught.value.retry


@pytest.mark.parametrize("name", ["unknown name", "refused connection", "503"])
def test_what_was_not_sent_may_be_repeated(wechat, name):
    client = Client("wx1", lambda stale: "T", FAILURES[name][0](wechat), timeout=0.3)
    with pytest.raises(errors.Temporary) as caught:
        client.send("oFollower", TEXT)
    assert caught.value.retry
