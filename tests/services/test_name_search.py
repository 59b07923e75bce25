"""A search finds what a reader would: checked against an oracle that looks through each name."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.services import follower_sync, followers, name_search
from models import Follower, NameTerm

# Character → how the oracle reads it: by hand, not from the dictionary that the code uses.
READ = {"李": ["li"], "小": ["xiao"], "红": ["hong"], "吕": ["lv"], "欧": ["ou"], "阳": ["yang"], "林": ["lin"]}
names = st.text(st.sampled_from([*READ, "a", "B", " "]), min_size=1, max_size=6)
searches = st.one_of(
    st.text(st.sampled_from([*READ, "a", "b"]), min_size=1, max_size=3),
    st.lists(st.sampled_from([each[0] for each in READ.values()] + ["x", "h", "l", "li", "ho"]), min_size=1, max_size=3)
    .map("".join),
)  # fmt: skip


def would_find(name: str, search: str) -> bool:
    name = "".join(name.lower().split())
    if search in name:
        return True
    for at in range(len(name)):
        for reading in itertools.product(*(READ.get(character, [character]) for character in name[at:])):
            if "".join(reading).startswith(search) or "".join(each[0] for each in reading).startswith(search):
                return True
    return False


@settings(max_examples=600, deadline=None)
@given(names, searches)
def test_terms_begin_with_what_a_reader_would_find(name, search):
    spelt = name_search.spell(search)

    assert any(term.startswith(spelt) for term in name_search.terms(name)) == would_find(name, search)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(names, min_size=1, max_size=6), searches)
def test_the_list_finds_what_a_reader_would(session, create, name_list, search):
    account = create.account(f"a{next(_numbers)}")
    made = {create.follower(account, remark=name).id: name for name in name_list}

    found = {each.id for each in followers.page(session, account, search=search)}

    assert found == {follower_id for follower_id, name in made.items() if would_find(name, search)}
    session.commit()


_numbers = itertools.count()


def test_both_readings_of_a_character_and_a_surname_of_its_own(session, create):
    account = create.account()
    known = create.follower(account, remark="单乐")

    for search in ("shanle", "shanyue", "dan", "sl", "sy", "yue", "ｓｌ"):
        assert followers.page(session, account, search=search) == [known], search
    assert followers.page(session, account, search="han") == []


def test_a_new_name_takes_the_old_ones_place(session, create):
    account = create.account()
    known = create.follower(account, remark="小红")

    followers.rename(session, known, "欧阳")

    assert followers.page(session, account, search="xh") == []
    assert followers.page(session, account, search="oy") == [known]


def test_names_that_wechat_tells_are_found(session, create):
    account = create.account()
    known = create.follower(account)

    infos = [{"openid": known.openid, "subscribe": 1, "remark": "林红"}]
    follower_sync.note_infos(session, account.id, {known.openid: known.id}, infos)

    assert [each.id for each in followers.page(session, account, search="lh")] == [known.id]


def test_those_from_before_are_filled_in_by_and_by(session, create):
    account = create.account()
    made = [create.follower(account, remark="小红").id for _ in range(3)]
    session.query(NameTerm).delete()

    assert list(name_search.fill(session, account.id, 0)) == made
    assert list(name_search.fill(session, account.id, made[-1])) == []
    assert len(followers.page(session, account, search="xiaoh")) == 3


def test_common_names_page_through_newest_first(session, create, monkeypatch):
    account = create.account()
    made = [create.follower(account, remark="李红" if at % 2 else "欧阳").id for at in range(12)]
    plain = [each for at, each in enumerate(made) if at % 2][::-1]
    for common, window in ((1000, 50), (2, 50), (2, 3)):  # sorted; walked; walked, not enough, then sorted
        monkeypatch.setattr(name_search, "COMMON", common)
        monkeypatch.setattr(followers, "WINDOW", window)
        first = followers.page(session, account, search="li", limit=4)
        rest = followers.page(session, account, search="li", limit=4, before=first[-1].id)

        assert [each.id for each in first + rest] == plain
    assert session.get(Follower, made[0])
