"""Our calls to many, against the simulator over HTTP: what is sent, what comes back, what is repeated."""

import pytest

from bot.wechat import broadcasts
from bot.wechat.client import Client
from bot.wechat.errors import OutcomeUnknown, QuotaReached, Temporary, WeChatError, WindowClosed

from ..simulator.conftest import Sim, callback, picture, sim, start

__all__ = ["callback", "sim", "start"]

TEXT = {"msgtype": "text", "text": {"content": "新茶 spring"}}
SEND = "/cgi-bin/message/mass/send"


@pytest.fixture
def client(sim: Sim):
    account = sim.account()
    token = sim.stable(account)["access_token"]
    client = Client(account["appid"], lambda _: token, sim.url, timeout=3)
    yield client
    client.close()


@pytest.fixture
def openids(sim: Sim, client):
    return [sim.follower(name=name) for name in ("mei", "li")]


def test_a_mass_message_arrives_once(sim, client, openids):
    done = broadcasts.send_mass_openids(client, openids, TEXT, "c1")

    sim.settle()
    assert [item["text"] for item in sim.inbox(openids[0])] == ["新茶 spring"]
    assert broadcasts.mass_status(client, done.msg_id) == "SEND_SUCCESS"
    with pytest.raises(Temporary):
        broadcasts.send_mass_openids(client, openids, TEXT, "c1")
    sim.advance(61)
    assert broadcasts.send_mass_openids(client, openids, TEXT, "c1") == (done.msg_id, None, True)
    assert sim.get("/sim/receipts", account="tea", contains="c1")["times"] == {"1": 2}


def test_a_lost_answer_is_found_again_by_its_client_id(sim, client, openids):
    sim.post("/sim/faults", path=SEND, cut="reply")

    with pytest.raises(OutcomeUnknown) as lost:
        broadcasts.send_mass_openids(client, openids, TEXT, "c1")

    assert lost.value.retry
    sim.settle()
    sim.advance(61)
    assert broadcasts.send_mass_openids(client, openids, TEXT, "c1").was_there


def test_already_sent_without_an_id_is_a_refusal(sim, client, openids):
    sim.post("/sim/faults", path=SEND, errcode=45065)

    with pytest.raises(WeChatError) as refused:
        broadcasts.send_mass_openids(client, openids, TEXT, "c1")

    assert (refused.value.errcode, refused.value.msg_id) == (45065, None)


def test_a_tag_and_everyone(sim, client, openids):
    tag_id = sim.api(sim.account()).post("tags/create", {"tag": {"name": "vip"}})["tag"]["id"]
    for place in range(4):
        broadcasts.send_mass_tag(client, None, TEXT, f"all{place}")

    assert broadcasts.send_mass_tag(client, tag_id, TEXT, "vip").msg_id
    with pytest.raises(QuotaReached):
        broadcasts.send_mass_tag(client, None, TEXT, "all5")


@pytest.mark.parametrize(("count", "client_id"), [(1, "c"), (10_001, "c"), (2, ""), (2, "x" * 33)])
def test_what_cannot_go_is_never_sent(client, count, client_id):
    with pytest.raises(ValueError, match=r"followers in one call|client id"):
        broadcasts.send_mass_openids(client, ["o" * 28] * count, TEXT, client_id)


def test_articles_are_sent_and_taken_back(sim, client, openids):
    thumb = sim.api(sim.account(), client._token(None)).material("thumb", picture())
    media_id = broadcasts.add_draft(client, [{"title": "春", "content": "<p>tea</p>", "thumb_media_id": thumb}])
    content = {"msgtype": "mpnews", "mpnews": {"media_id": media_id}}
    broadcasts.preview(client, content, openids[0])

    done = broadcasts.send_mass_openids(client, openids, content, "c1")

    assert done.msg_data_id
    sim.settle()
    broadcasts.delete_mass(client, done.msg_id)
    assert broadcasts.mass_status(client, done.msg_id) == "DELETE"
    assert [item["kind"] for item in sim.inbox(openids[0])] == ["preview", "mass"]


def test_a_preview_by_wechat_id(sim, client, openids):
    broadcasts.preview(client, TEXT, wechat_id="li")

    assert [len(sim.inbox(one)) for one in openids] == [0, 1]


def test_a_template_message(sim, client, openids):
    template_id = sim.post("/sim/templates", account="tea", title="Order", content="{{thing1.DATA}}")["template_id"]
    assert broadcasts.message_templates(client)[0]["template_id"] == template_id

    sent = {
        broadcasts.send_template(client, openids[0], template_id, {"thing1": "茶"}, client_id="m1", url="https://t.cn")
        for _ in range(2)
    }

    assert len(sent) == 1
    assert [item["text"] for item in sim.inbox(openids[0])] == ["茶"]
    with pytest.raises(WeChatError, match=r"data\.thing1\.value"):
        broadcasts.send_template(client, openids[0], template_id, {}, client_id="m2")
    with pytest.raises(WindowClosed):
        broadcasts.send_template(client, "nobody", template_id, {"thing1": "茶"}, client_id="m3")


def test_a_notice_uses_one_consent(sim, client, openids):
    made = sim.post("/sim/templates", account="tea", kind="one-time", title="Order", content="{{thing1.DATA}}")
    assert broadcasts.notice_templates(client)[0]["priTmplId"] == made["template_id"]
    sim.post("/sim/consents", account="tea", openid=openids[0], template_id=made["template_id"])

    broadcasts.send_subscription(client, openids[0], made["template_id"], {"thing1": "茶"}, page="https://t.cn")

    with pytest.raises(WindowClosed):
        broadcasts.send_subscription(client, openids[0], made["template_id"], {"thing1": "茶"})
    assert [item["kind"] for item in sim.inbox(openids[0])] == ["subscription"]


def test_a_lost_notice_is_not_to_be_repeated(sim, client, openids):
    made = sim.post("/sim/templates", account="tea", kind="one-time", title="Order", content="{{thing1.DATA}}")
    sim.post("/sim/faults", path="/cgi-bin/message/subscribe/bizsend", cut="request")

    with pytest.raises(OutcomeUnknown) as lost:
        broadcasts.send_subscription(client, openids[0], made["template_id"], {"thing1": "茶"})

    assert not lost.value.retry
