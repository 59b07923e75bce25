"""What came of a campaign, against counting one by one."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, note, settings

from bot import clock
from bot.services import campaign_results, timeline
from bot.services.campaign_results import VariantResult
from bot.services.timeline import Show
from models import Channel, DeliveryStatus, Tag
from tests.services.campaign_oracle import Story, counted, keep, stories

pytestmark = pytest.mark.databases
SENT = DeliveryStatus.SENT
DAY = 24 * 60


@pytest.fixture
def account(create):
    return create.account()


@pytest.fixture
def people(create, account):
    return [create.follower(account) for _ in range(10)]


@pytest.fixture
def begins():
    """Long enough ago that all that counts has happened."""
    return (clock.now() - timedelta(days=20)).replace(minute=30, second=0, microsecond=0)


def shown(results: list[VariantResult]):
    return [
        (each.variant, each.recipients, each.sent, each.delivered, each.clicked, each.visitors, each.replied,
         each.converted)
        for each in results
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
def test_the_funnel_is_what_counting_gives(session, account, people, begins, story):
    campaign = keep(session, account, people, story, begins)

    results = campaign_results.funnel(session, account, campaign)

    note(f"{results}")
    assert shown(results) == counted(story)
    for each in results:
        if each.variant is not None:
            assert each.recipients >= each.sent >= each.out_of >= max(each.clicked, each.replied, each.converted or 0)
            assert each.delivered is None or each.sent >= each.delivered
        assert each.recipients >= max(each.replied, each.converted or 0)


@pytest.mark.parametrize(
    ("goal", "act"), [("reply", "reply"), ("key", "key"), ("scene", "followed by scene"), ("tag", "tag")]
)
@pytest.mark.parametrize(("minute", "counts"), [(59, 0), (60, 1), (60 + 3 * DAY - 1, 1), (60 + 3 * DAY, 0)])
def test_what_counts_begins_with_the_message_and_ends_after_some_days(
    session, account, people, begins, goal, act, minute, counts
):
    story = Story(goal=goal, got={0: (0, SENT, 60), 1: (0, SENT, 0)}, held={2}, acts=[(0, act, minute)])

    [result, held] = campaign_results.funnel(session, account, keep(session, account, people, story, begins))

    assert (result.converted, held.converted) == (counts, 0)


def test_for_those_who_got_nothing_the_days_begin_with_the_first_message(session, account, people, begins):
    minutes = (119, 120, 120 + 3 * DAY - 1, 120 + 3 * DAY)
    acts = [(who, "key", minute) for who, minute in enumerate(minutes, start=1)]
    story = Story(goal="key", got={0: (0, SENT, 120)}, held={1, 2, 3, 4}, acts=acts)

    held = campaign_results.funnel(session, account, keep(session, account, people, story, begins))[-1]

    assert (held.variant, held.recipients, held.converted) == (None, 4, 2)


def test_a_goal_that_is_gone_is_not_a_goal_that_nobody_reached(session, account, people, begins):
    campaign = keep(session, account, people, Story(goal="tag", got={0: (0, SENT, 0)}, acts=[(0, "tag", 5)]), begins)
    assert campaign_results.funnel(session, account, campaign)[0].converted == 1

    session.delete(session.query(Tag).filter_by(name="熟客").one())
    session.commit()

    assert campaign_results.funnel(session, account, campaign)[0].converted is None


def test_another_accounts_tag_is_no_goal(session, create, account, people, begins):
    campaign = keep(session, account, people, Story(goal="tag", got={0: (0, SENT, 0)}), begins)
    theirs = Tag(account_id=create.account("theirs").id, name="熟客")
    session.add(theirs)
    session.flush()
    campaign.goal = {"kind": "tag", "of": str(theirs.id), "days": 3}

    assert campaign_results.funnel(session, account, campaign)[0].converted is None


def test_the_same_person_is_counted_once_however_often(session, account, people, begins):
    got = dict.fromkeys(range(4), (0, SENT, 0))
    story = Story(goal="reply", got=got, acts=[(0, "reply", at) for at in (1, 2, 3)])

    [result] = campaign_results.funnel(session, account, keep(session, account, people, story, begins))

    assert (result.replied, result.converted) == (1, 1)


@pytest.mark.parametrize(("told", "delivered"), [(None, None), (1, 1), (2, 2), (5, 2)])
def test_a_mass_message_is_delivered_to_as_many_as_wechat_says(session, account, people, begins, told, delivered):
    """Who follows at WeChat and is unknown to us is in WeChat's number, and not in our funnel."""
    story = Story(channel=Channel.MASS, got={0: (0, SENT, 0), 1: (0, SENT, 0)}, told={0: told})

    [result] = campaign_results.funnel(session, account, keep(session, account, people, story, begins))

    assert (result.sent, result.delivered) == (2, delivered)


def test_a_link_that_was_forwarded_is_not_opened_by_more_than_got_it(session, account, people, begins):
    clicks = [(None, 0, f"browser {at}", at) for at in range(5)]
    story = Story(channel=Channel.MASS, goal="click", got={0: (0, SENT, 0)}, told={0: 1}, clicks=clicks)

    [result] = campaign_results.funnel(session, account, keep(session, account, people, story, begins))

    assert (result.clicked, result.converted, result.visitors) == (1, 1, 5)


def test_a_draft_has_come_to_nothing_yet(session, account, people, begins):
    [result] = campaign_results.funnel(session, account, keep(session, account, people, Story(goal="key"), begins))

    assert shown([result]) == [(0, 0, 0, 0, 0, 0, 0, 0)]
    assert result.interval == (0, 1)


def test_links_tell_clicks_and_people_of_each(session, account, people, begins):
    story = Story(variants=2, clicks=[(0, 0, "f0", 1), (None, 0, "x", 2)])

    found = campaign_results.links(session, keep(session, account, people, story, begins))

    assert [(each.variant, each.number, each.clicks, each.people) for each in found] == [(0, 0, 4, 2), (1, 0, 0, 0)]


def test_clicks_by_hour_leave_no_hour_out(session, account, people, begins):
    minutes = (10, 29, 30, 3 * 60)  # from half past on
    story = Story(channel=Channel.MASS, clicks=[(None, 0, f"b{at}", at) for at in minutes])

    found = campaign_results.clicks_by_hour(session, keep(session, account, people, story, begins))

    first = begins.replace(minute=0)
    assert found == [(first + timedelta(hours=at), count) for at, count in enumerate([2, 1, 0, 1])]


def test_clicks_by_hour_stop_after_a_week(session, account, people, begins):
    story = Story(channel=Channel.MASS, clicks=[(None, 0, "a", 0), (None, 0, "b", 15 * DAY)])
    campaign = keep(session, account, people, story, begins)

    assert len(campaign_results.clicks_by_hour(session, campaign)) == 168
    assert campaign_results.clicks_by_hour(session, keep(session, account, people, Story(), begins)) == []


def test_a_followers_story_tells_what_they_got_and_opened(session, account, people, begins):
    unknown = DeliveryStatus.UNKNOWN
    story = Story(got={0: (0, SENT, 0), 1: (0, unknown, 0)}, held={2}, clicks=[(0, 0, "f0", 5)], acts=[(0, "reply", 3)])
    keep(session, account, people, story, begins)

    def told(who, **values):
        return [turn.kind for turn in timeline.page(session, account, people[who], **values).turns]

    assert told(0) == ["received", "text", "link"]
    assert told(0, show=Show.MESSAGES) == ["received", "text", "link"]
    assert told(0, show=Show.CHANGES) == told(1) == told(2) == []
    assert told(0, before=begins + timedelta(minutes=5)) == ["received", "text"]
    link = timeline.page(session, account, people[0]).turns[-1]
    assert (link.reply["campaign"], link.reply["url"], link.at) == (
        "秋茶",
        "https://tea.example",
        begins + timedelta(minutes=5),
    )
