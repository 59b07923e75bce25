import pytest

from bot.errors import Conflict, Forbidden, NotFound, Refused
from bot.services import fields, followers, notes, stages, tags, timeline
from bot.services.timeline import Show


@pytest.fixture
def account(create):
    return create.account()


@pytest.mark.parametrize(
    ("kind", "good", "shown", "wrong"),
    [
        ("text", " 杭州 ", "杭州", "x" * 201),
        ("number", "3.50", "3.5", "many"),
        ("number", "-2", "-2", "inf"),
        ("date", "2026-02-28", "2026-02-28", "2026-02-30"),
        ("choice", "绿茶", "绿茶", "咖啡"),
        ("yes_no", "no", "no", "maybe"),
    ],
)
def test_a_value_is_of_its_fields_kind(session, create, account, kind, good, shown, wrong):
    field = fields.add(session, account, "f", kind, ["绿茶", "红茶"])
    one = create.follower(account)

    followers.set_fields(session, account, one, {field.id: good}, "小美")
    with pytest.raises(Refused) as caught:
        followers.set_fields(session, account, one, {field.id: wrong}, "小美")

    assert caught.value.field == f"fields.{field.id}"
    kept = fields.values(session, [field], [one.id])[one.id][field.id]
    assert fields.shown(kept) == shown
    followers.set_fields(session, account, one, {field.id: ""}, "小美")
    assert fields.values(session, [field], [one.id]) == {}
    changes = timeline.page(session, account, one, show=Show.CHANGES).turns
    assert [(turn.reply["was"], turn.reply["is"]) for turn in changes] == [("", shown), (shown, "")]


def test_one_wrong_value_writes_none(session, create, account):
    first, second = (fields.add(session, account, name, "number") for name in ("a", "b"))
    one = create.follower(account)

    with pytest.raises(Refused):
        followers.set_fields(session, account, one, {first.id: "1", second.id: "x"}, "")
    assert fields.values(session, [first, second], [one.id]) == {}


def test_stages_are_ordered_renamed_and_deleted_without_their_followers(session, create, account):
    new, old = stages.add(session, account, " 新 "), stages.add(session, account, "老")
    one = create.follower(account)
    followers.set_stage(session, account, one, new.id, "小美")

    with pytest.raises(Conflict):
        stages.rename(session, account, old, "新")
    stages.move(session, account, old, 0)
    assert [each.name for each in stages.list_all(session, account)] == ["老", "新"]
    assert stages.count(session, [new, old]) == {new.id: 1}
    stages.delete(session, new)
    session.commit()
    session.refresh(one)
    assert one.stage_id is None
    told = timeline.page(session, account, one).turns[-1]
    assert (told.reply, told.who) == ({"was": "", "is": "新"}, "小美")


def test_another_accounts_stage_field_and_people_are_refused(session, create, account):
    theirs = create.account("theirs")
    stage, field = stages.add(session, theirs, "x"), fields.add(session, theirs, "x", "text")
    stranger, one = create.operator("stranger", role=None), create.follower(account)

    for change in (
        lambda: followers.set_stage(session, account, one, stage.id, ""),
        lambda: followers.set_owner(session, account, one, stranger.id, ""),
        lambda: followers.set_fields(session, account, one, {field.id: "x"}, ""),
    ):
        with pytest.raises(Refused):
            change()
    with pytest.raises(NotFound):
        followers.get_many(session, theirs, [one.id])


def test_the_list_is_narrowed(session, create, account):
    stage, owner = stages.add(session, account, "新"), create.operator()
    many = [create.follower(account, remark="李红", is_subscribed=at != 1) for at in range(4)]
    followers.set_stage(session, account, many[0], stage.id, "")
    followers.set_owner(session, account, many[1], owner.id, "")
    many[2].tags.append(tags.add(session, account, "会员"))
    session.commit()

    def ids(**wanted):
        return [many.index(each) for each in followers.page(session, account, **wanted)]

    assert ids(stage_id=stage.id) == ids(stage_id=stage.id, search="lh") == [0]
    assert ids(stage_id=0, owner_id=0) == [3, 2]
    assert ids(owner_id=owner.id) == ids(is_subscribed=False) == [1]
    assert ids(tag_id=many[2].tags[0].id) == ids(tag_id=many[2].tags[0].id, search="li") == [2]
    assert ids(search=many[3].openid, is_subscribed=False) == []


def test_a_note_is_deleted_by_its_author_only(session, create, account):
    one, mei, lin = create.follower(account), create.operator("小美"), create.operator("小林")
    note = notes.add(session, one, "喜欢龙井", mei, mei.name)

    with pytest.raises(Forbidden):
        notes.delete(session, one, note, lin, lin.name)
    notes.delete(session, one, note, mei, mei.name)
    assert notes.page(session, one) == []
    with pytest.raises(Refused):
        notes.add(session, one, " \n", mei, mei.name)


def test_a_long_story_is_paged_and_loses_nothing(session, create, account):
    one = create.follower(account)
    for at in range(7):
        notes.add(session, one, str(at), None, "API")
    whole = [turn.id for turn in timeline.page(session, account, one).turns]

    last = timeline.page(session, account, one, limit=3)
    told = [turn.id for turn in last.turns]
    while last.earlier:
        last = timeline.page(session, account, one, limit=3, before=last.earlier)
        told = [turn.id for turn in last.turns] + told
    assert told == whole
    assert len(whole) == 7
