"""Our answer to "who sees this" equals WeChat's, for any set of menus, tags and phones."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.database import reading, transaction
from bot.errors import Conflict
from bot.jobs import tasks as jobs
from bot.services import follower_sync, menu_audience, tokens
from models import Follower, FollowerTag, Tag

PLATFORM = st.sampled_from(["1", "2", "3"])
TAG = st.integers(0, 2)
RULE = st.one_of(
    st.builds(lambda tag: {"tag": tag}, TAG),
    st.builds(lambda platform: {"client_platform_type": platform}, PLATFORM),
    st.builds(lambda tag, platform: {"tag": tag, "client_platform_type": platform}, TAG, PLATFORM),
)
numbers = itertools.count()


@pytest.fixture
def account(create, sim, redis):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


@pytest.fixture
def client(account):
    return tokens.client_for(account)


@pytest.fixture
def tags(account, client):
    """WeChat's numbers of three tags, which Lobby knows too."""
    found = [client._ask(lambda name=name: client._sdk.tag.create(name))["id"] for name in "abc"]
    with transaction() as session:
        follower_sync.note_tags(session, account.id, client.tags())
    return found


@settings(max_examples=40, deadline=timedelta(seconds=20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RULE, max_size=6), st.lists(TAG, unique=True), PLATFORM)
def test_we_answer_as_wechat_does(account, sim, client, tags, rules, worn, platform):
    openid = sim.follower(account, f"f{next(numbers)}", platform=platform)
    conditional = []
    for at, rule in enumerate(rules, start=1):
        matchrule = {name: value for name, value in rule.items() if name != "tag"}
        matchrule |= {"tag_id": str(tags[rule["tag"]])} if "tag" in rule else {}
        conditional.append({"id": at, "title": "", "matchrule": matchrule, "buttons": button(str(at))})
    client.create_menu({"button": button("usual")})
    for menu in reversed(conditional):  # the newest is tried first
        client.add_conditional_menu({"button": menu["buttons"], "matchrule": menu["matchrule"]})
    with transaction() as session:
        follower = Follower(account_id=account.id, openid=openid)
        session.add(follower)
        session.flush()
        for at in worn:
            client._ask(lambda at=at: client._sdk.tag.tag_user(tags[at], openid))
            tag = session.query(Tag).filter_by(wechat_id=tags[at]).one()
            session.add(FollowerTag(follower_id=follower.id, tag_id=tag.id))
            session.flush()
        counting = menu_audience.counting_tag(session, follower)

    looks = menu_audience.explain(conditional, counting and counting.wechat_id, platform)

    (seen,) = [look for look in looks if look.is_seen]
    assert client.try_match(openid)[0]["name"] == (seen.menu["buttons"][0]["name"] if seen.menu else "usual")
    assert len(looks) == len(conditional) + 1
    client.delete_menu()


def button(name):
    return [{"name": name, "type": "click", "key": name}]


def test_an_unknown_phone_fits_no_menu_for_one_kind_of_phone():
    menu = {"id": 1, "title": "", "matchrule": {"client_platform_type": "1"}, "buttons": []}
    looks = menu_audience.explain([menu], None)
    assert [look.is_seen for look in looks] == [False, True]
    assert "not known" in looks[0].why


def test_wechat_is_asked_about_one_follower(account, sim, client, create):
    follower = create.follower(account, openid=sim.follower(account))
    client.create_menu({"button": button("usual")})
    with transaction() as session:
        task_id = menu_audience.ask(session, account, follower).id
        other = Follower(account_id=account.id, openid="o" * 28)
        session.add(other)
        session.flush()
        with pytest.raises(Conflict):
            menu_audience.ask(session, account, other)
    jobs.advance(task_id)

    with reading() as session:
        task = menu_audience.answer(session, account, follower)
        assert menu_audience.answer(session, account, session.get_one(Follower, other.id)) is None
    assert task.state["buttons"] == button("usual")
    assert menu_audience.which(task.state["buttons"], button("usual"), []) == 0
    assert menu_audience.which(task.state["buttons"], [], [{"id": 7, "buttons": button("usual")}]) == 7
    assert menu_audience.which(task.state["buttons"], [], []) == -1
