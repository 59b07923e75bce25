import pytest

from bot.errors import NotFound, Refused
from bot.services import followers
from models import FollowerEvent


@pytest.fixture
def account(create):
    return create.account()


def test_pages_newest_first(account, create, session):
    made = [create.follower(account).id for _ in range(5)]

    first = [each.id for each in followers.page(session, account, limit=2)]
    second = [each.id for each in followers.page(session, account, before=first[-1], limit=2)]

    assert first + second == made[:0:-1]


@pytest.mark.databases
@pytest.mark.parametrize(
    ("search", "found"),
    [("李", 1), ("LEE", 1), ("50%", 1), ("%", 1), ("_", 1), ("\\", 1), ("nobody", 0), (" 李 ", 1), ("", 4)],
)
def test_searches_names_and_takes_signs_as_they_are(account, create, session, search, found):
    for name in ("小李", "Lee", "50% off", "a_b\\c"):
        create.follower(account, nickname=name)

    assert len(followers.page(session, account, search=search)) == found


def test_an_openid_is_found_whole(account, create, session):
    known = create.follower(account)

    assert followers.page(session, account, search=known.openid) == [known]
    assert followers.page(session, account, search=known.openid[:-1]) == []


def test_a_long_remark_is_refused(account, create, session):
    known = create.follower(account, remark="old")
    with pytest.raises(Refused):
        followers.rename(session, known, "x" * 31)
    assert known.remark == "old"

    followers.rename(session, known, " new ")
    assert known.name == "new"


def test_a_time_zone_is_one_of_the_worlds_or_the_accounts(account, create):
    follower = create.follower(account)
    followers.set_timezone(follower, "Asia/Kathmandu")
    assert follower.timezone == "Asia/Kathmandu"
    with pytest.raises(Refused, match="Mars"):
        followers.set_timezone(follower, "Mars/Olympus")
    followers.set_timezone(follower, "")
    assert follower.timezone == ""


def test_opting_out_is_told_once_with_who_did_it(account, create, session):
    follower = create.follower(account)
    for on in (True, True, False, False):
        followers.set_opted_out(session, follower, on, "林")
    assert follower.opted_out_at is None
    told = [(each.kind, each.detail, each.who) for each in session.query(FollowerEvent).order_by(FollowerEvent.id)]
    assert told == [("opted_out", {}, "林"), ("opted_in", {}, "林")]


def test_another_accounts_is_not_found(account, create, session):
    known = create.follower(account)
    theirs = create.account("theirs")

    with pytest.raises(NotFound):
        followers.get(session, theirs, known.id)
    assert followers.page(session, theirs) == []
    assert followers.count(session, theirs) == 0
