"""Files for followers: what WeChat takes goes to it, by either door; what it does not is refused in a sentence."""

import io
import re

import pytest
import requests
from PIL import Image
from sqlalchemy import func, select

from bot.errors import Refused
from bot.services import api_tokens, media_uploads, operators
from models import Follower, Role, Send


def picture(kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, kind)
    return data.getvalue()


@pytest.fixture
def account(live, sim, create):
    account = create.account()
    sim.connect(account, live)
    return account


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture(), "image"),
        (picture("JPEG"), "image"),
        (picture("GIF"), "image"),
        (b"#!AMR\n" + b"\x7c" * 50, "voice"),
        (b"\0\0\0\x14ftypisom\0\0\2\0isom", "video"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(account, content, kind):
    uploaded = media_uploads.upload(account, "报告.exe", io.BytesIO(content))

    assert uploaded.kind == kind
    assert uploaded.media_id


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "WeChat takes JPEG"),
        (b"MZ" + b"x" * 100, "WeChat takes JPEG"),
        (picture() + b"x" * (10 << 20), "larger than 10 MB"),
        (b"#!AMR\n" + b"\x7c" * (2 << 20), "larger than 2 MB"),
        (b"#!AMR\n" + b"\x7c" * 13 * 50 * 70, "lasts longer|too long|60"),  # 70 seconds
    ],
)
def test_what_wechat_does_not_take_is_refused(account, content, sentence):
    with pytest.raises(Refused, match=sentence):
        media_uploads.upload(account, "a.png", io.BytesIO(content))


def desk(create, live, account) -> requests.Session:
    operator = create.operator("小美", role=Role.AGENT, account=account)
    browser = requests.Session()
    browser.cookies.set("lobby", operators.sign_in(create.session, operator, "a browser"))
    create.session.commit()
    return browser


def token_of(browser, address: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', browser.get(address).text)[1]


def press_send(browser, address: str, content: bytes, **data: str) -> requests.Response:
    token = token_of(browser, address)
    files = {"file": ("菜单.png", content, "image/png")}
    return browser.post(f"{address}/reply", data={"csrf_token": token, **data}, files=files)


def test_an_agent_sends_a_picture_and_keeps_what_they_were_writing(account, create, live, sim, client, work, session):
    openid = sim.follower(account)
    sim.say(account, openid, "有菜单吗")
    follower_id = session.scalars(select(Follower.id)).one()
    session.commit()
    browser = desk(create, live, account)
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{live}/console/practice/conversations").text)[
        1
    ]
    talk = browser.post(f"{live}/console/practice/followers/{follower_id}/take", data={"csrf_token": token}).url
    address = talk.partition("?")[0].partition("#")[0]
    browser.post(f"{address}/draft", data={"csrf_token": token, "text": "稍等"})

    for _copy in range(2):  # pressed twice
        press_send(browser, address, picture() + b"x" * (3 << 20), intent="a" * 32, text="稍等")
    work()

    [item] = [item for item in sim.inbox(account, openid) if item["kind"] != "mine"]
    assert item["type"] == "image"
    assert "稍等" in browser.get(address).text
    refused = press_send(browser, address, b"MZ", intent="b" * 32, text="稍等")
    assert refused.status_code == 422
    assert "JPEG" in refused.text
    assert session.scalar(select(func.count(Send.id))) == 1


def test_whoever_is_not_signed_in_sends_no_megabytes(account, live):
    files = {"file": ("a.png", picture() + b"x" * (3 << 20), "image/png")}

    assert requests.post(f"{live}/console/practice/conversations/1/reply", files=files).status_code == 413


def test_the_api_gives_a_media_id_that_a_reply_takes(account, create, live, sim, session, work):
    openid = sim.follower(account)
    sim.say(account, openid, "有菜单吗")
    follower_id = session.scalars(select(Follower.id)).one()
    token = api_tokens.create(session, account=account, name="test", scopes=["sends:write"])
    session.commit()
    api = requests.Session()
    api.headers["Authorization"] = f"Bearer {token}"
    address = f"{live}/api/v1/accounts/practice"

    uploaded = api.post(f"{address}/media", files={"file": ("a.png", picture(), "image/png")})
    assert uploaded.status_code == 201, uploaded.text
    sent = api.post(f"{address}/followers/{follower_id}/sends", json={"reply": uploaded.json()})
    assert sent.status_code == 202, sent.text
    work()

    [item] = [item for item in sim.inbox(account, openid) if item["kind"] != "mine"]
    assert item["type"] == "image"
    nothing = api.post(f"{address}/media", files={"file": ("a.txt", b"hello")})
    assert (nothing.status_code, nothing.json()["error"]["field"]) == (422, "file")
