"""From the launch to what came of it: WeChat puts the links on the phones, followers open them and write."""

from urllib.parse import urlsplit

import pytest

from bot.database import reading, transaction
from bot.services import api_tokens, campaign_results, timeline
from models import Follower
from tests.jobs.campaigner import Campaigner
from tests.pages.conftest import PHONE, soon

pytestmark = pytest.mark.databases


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    return Campaigner(create, sim, live, followers=12)


def results(marketer, campaign):
    with reading() as session:
        return campaign_results.funnel(session, marketer.here(session), marketer.find(session, campaign))


def by_api(client, marketer, campaign):
    with transaction() as session:
        token = api_tokens.create(session, account=marketer.account, name="test", scopes=["campaigns:read"])
    path = f"/api/v1/accounts/{marketer.account.slug}/campaigns/{campaign.id}/results"
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).json


def test_clicks_and_replies_are_each_followers_own(marketer, client):
    template_id = marketer.sim.post(
        "templates", account=marketer.account.slug, kind="message", title="上新", content="茶:{{thing1.DATA}}"
    )["template_id"]
    variants = [
        {"name": name, "content": {"kind": "template", "template_id": template_id, "values": {"thing1": "秋茶" + name},
                                   "url": f"https://tea.example/{name}"}}
        for name in ("A", "B")
    ]  # fmt: skip
    campaign = marketer.send(marketer.plan(channel="template", variants=variants, goal={"kind": "reply"}))
    marketer.settle()
    inboxes = {openid: marketer.sim.inbox(marketer.account, openid)[-1] for openid in marketer.openids}
    of = {openid: item["text"][-1] for openid, item in inboxes.items()}
    clickers, writer = marketer.openids[:5], marketer.openids[0]

    for openid in clickers:
        parts = urlsplit(inboxes[openid]["url"])
        answer = client.get(parts.path, headers={"User-Agent": PHONE})
        assert answer.headers["Location"] == f"https://tea.example/{of[openid]}"
    marketer.sim.say(marketer.account, writer, "好的，要两盒")
    soon(lambda: sum(each.replied for each in results(marketer, campaign)) == 1)

    for each in results(marketer, campaign):
        mine = [openid for openid in marketer.openids if of[openid] == each.name]
        clicked = sum(openid in mine for openid in clickers)
        wrote = int(writer in mine)
        assert (each.recipients, each.sent, each.delivered) == (len(mine), len(mine), len(mine))
        assert (each.clicked, each.visitors, each.replied, each.converted) == (clicked, clicked, wrote, wrote)
    told = by_api(client, marketer, campaign)
    assert [(one["name"], one["clicked"], one["replied"]) for one in told["variants"]] == [
        (each.name, each.clicked, each.replied) for each in results(marketer, campaign)
    ]
    assert (
        sum(hour["people"] for hour in told["hours"]) == sum(link["people"] for link in told["links"]) == len(clickers)
    )
    assert told["verdict"]
    with reading() as reader:
        follower = reader.query(Follower).filter_by(openid=writer).one()
        kinds = [turn.kind for turn in timeline.page(reader, marketer.here(reader), follower).turns]
        assert kinds == ["received", "link", "text"]  # and no report, which is not the follower's doing


def test_a_mass_message_is_delivered_to_as_many_as_wechat_says(marketer, client):
    text = {"kind": "text", "text": "秋茶上新 https://tea.example/autumn 欢迎品尝。"}
    campaign = marketer.plan(text)
    marketer.launch(campaign)
    marketer.sim.wait(31)
    marketer.advance(campaign)
    [before] = results(marketer, campaign)
    marketer.settle()

    said = marketer.sim.inbox(marketer.account, marketer.openids[0])[-1]["text"]
    path = urlsplit(said.split()[1]).path
    for _ in range(3):
        assert client.get(path, headers={"User-Agent": PHONE}).headers["Location"] == "https://tea.example/autumn"

    soon(lambda: results(marketer, campaign)[0].delivered is not None)
    [after] = results(marketer, campaign)
    assert before.delivered in (None, 12)  # its report may be quicker than we
    assert (after.sent, after.delivered, after.clicked, after.converted) == (12, 12, 1, None)
    with reading() as session:
        [link] = campaign_results.links(session, marketer.find(session, campaign))
    assert (link.url, link.clicks, link.people) == ("https://tea.example/autumn", 3, 1)
