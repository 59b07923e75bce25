"""QR codes that are scanned, and files that live three days."""

import io

import pytest
from PIL import Image


@pytest.fixture
def api(sim):
    return sim.api(sim.account())


def temporary(scene="spring", **more):
    return {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}} | more


def test_makes_a_picture(sim, api):
    made = api.post("qrcode/create", temporary())

    assert made["expire_seconds"] == 60
    answer = sim.http.get(f"{sim.url}/cgi-bin/showqrcode", params={"ticket": made["ticket"]})
    assert Image.open(io.BytesIO(answer.content)).size == (430, 430)
    assert sim.http.get(f"{sim.url}/cgi-bin/showqrcode", params={"ticket": "bad"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"action_name": "QR"}, 40052),
        ({"action_name": "QR_SCENE"}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 0}}}, 40053),
        ({"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 100_001}}}, 40053),
        (temporary("x" * 65), 40053),
        (temporary(expire_seconds=2_592_001), 40097),
    ],
)
def test_refuses(api, body, errcode):
    assert api.post("qrcode/create", body)["errcode"] == errcode


def test_a_permanent_scene_has_one_code(api):
    body = {"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 7}}}

    assert api.post("qrcode/create", body) == api.post("qrcode/create", body)
    assert "expire_seconds" not in api.post("qrcode/create", body)


def test_scanning_follows_first_and_scans_later(sim, api, callback):
    sim.account(callback_url=callback.url)
    ticket = api.post("qrcode/create", temporary())["ticket"]
    openid = sim.follower()
    sim.event(openid, "unsubscribe")

    for _ in range(2):
        sim.post("/sim/scans", account="tea", openid=openid, scene="spring")

    bodies = [seen["body"].decode() for seen in callback.received[1:]]
    assert "[subscribe]" in bodies[0]
    assert "[qrscene_spring]" in bodies[0]
    assert "[SCAN]" in bodies[1]
    assert "[spring]" in bodies[1]
    assert all(ticket in body for body in bodies)
    told = api.get("user/info", openid=openid)
    assert (told["subscribe_scene"], told["qr_scene_str"]) == ("ADD_SCENE_QR_CODE", "spring")
    sim.advance(61)
    assert "error" in sim.post("/sim/scans", account="tea", openid=openid, scene="spring")


def picture(kind="JPEG"):
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize(
    ("type_", "content", "errcode"),
    [
        ("poster", picture(), 40004),
        ("image", b"", 44001),
        ("image", b"not a picture", 40113),
        ("thumb", picture("PNG"), 40113),
        ("thumb", b"\xff\xd8\xff" + b"x" * 65_536, 40012),
        ("voice", b"#!AMR\n" + b"\x7c" * 3001, 45007),
        ("image", b"\xff\xd8\xff" + b"x" * (10 << 20), 40009),
    ],
)
def test_checks_files(api, type_, content, errcode):
    assert api.upload(type_, content)["errcode"] == errcode


def test_a_file_lives_three_days(sim, api):
    made = api.upload("image", picture())
    assert set(made) == {"type", "media_id", "created_at"}
    assert "thumb_media_id" in api.upload("thumb", picture())

    def fetch(token):
        query = {"access_token": token, "media_id": made["media_id"]}
        return sim.http.get(f"{sim.url}/cgi-bin/media/get", params=query)

    answer = fetch(api.token)
    assert answer.content == picture()
    assert "attachment" in answer.headers["Content-disposition"]
    sim.advance(3 * 86400 + 1)
    assert fetch(sim.fetch_token(sim.account())["access_token"]).json()["errcode"] == 40007


def test_a_film_is_told_by_its_address(sim, api):
    made = api.upload("video", b"\0\0\0\x14ftypisom" + b"\0" * 8, "film.mp4")

    told = api.get("media/get", media_id=made["media_id"])

    assert sim.http.get(told["video_url"]).content[4:8] == b"ftyp"


def test_a_followers_picture_can_be_fetched(sim, api, callback):
    sim.account(callback_url=callback.url)

    sim.say(sim.follower(), type="image")

    body = callback.received[0]["body"].decode()
    media_id = body.split("<MediaId><![CDATA[")[1].split("]")[0]
    url = body.split("<PicUrl><![CDATA[")[1].split("]")[0]
    assert sim.http.get(url).headers["Content-Type"] == "image/jpeg"
    query = {"access_token": api.token, "media_id": media_id}
    assert sim.http.get(f"{sim.url}/cgi-bin/media/get", params=query).content == sim.http.get(url).content


def test_a_scene_of_many_digits_is_a_text(sim):
    account = sim.account()
    openid = sim.follower()

    sim.event(openid, "subscribe", event_key="qrscene_" + "9" * 5000)

    assert sim.api(account).get("user/info", openid=openid)["qr_scene"] == 0
