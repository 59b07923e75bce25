"""Roles: what each may do, who may give them, and that somebody always owns the install."""

import threading

import pytest
from sqlalchemy import select

from bot.database import transaction
from bot.errors import Conflict, Forbidden, NotFound, Refused
from bot.services import access, api_tokens, operators
from bot.services.access import Access
from models import Membership, Role


def test_a_role_in_one_account_says_nothing_of_another(create):
    mine, other = create.account("mine"), create.account("other")
    operator = create.operator("mei", role=Role.AGENT, account=mine)

    found = access.of_operator(create.session, operator.id)

    assert "conversations:write" in found.at(mine.id)
    assert not found.at(other.id)
    assert not found.at(None)


def test_a_role_in_all_accounts_holds_in_each_and_adds_to_the_one_there(create):
    mine = create.account("mine")
    operator = create.operator("mei", role=Role.ANALYST)
    access.give(create.session, operator, Role.AGENT, mine)

    found = access.of_operator(create.session, operator.id)

    assert {"menus:read", "conversations:write"} <= found.at(mine.id)
    assert "conversations:write" not in found.at(None)


@pytest.mark.databases
def test_one_role_a_place(create):
    mine, operator = create.account("mine"), create.operator("mei", role=None)
    create.operator("owner")
    for role in (Role.AGENT, Role.EDITOR):
        access.give(create.session, operator, role, mine)
        access.give(create.session, operator, role, None)

    rows = create.session.scalars(select(Membership).where(Membership.operator_id == operator.id)).all()

    assert [row.role for row in rows] == [Role.EDITOR, Role.EDITOR]


@pytest.mark.parametrize("leave", ["removed", "demoted", "inactive"])
def test_the_last_owner_stays(create, leave):
    owner, account = create.operator("owner"), create.account("mine")
    create.operator("of one account", account=account)
    create.operator("asleep").is_active = False
    create.session.commit()
    act = {
        "removed": lambda: access.take(create.session, owner, None),
        "demoted": lambda: access.give(create.session, owner, Role.EDITOR, None),
        "inactive": lambda: access.set_active(create.session, owner, False),
    }[leave]

    with pytest.raises(Conflict, match="last owner"):
        act()
    create.session.rollback()
    create.operator("second")
    act()


@pytest.mark.databases
def test_two_owners_who_remove_each_other_at_once_leave_one(create, database_url):
    names, refused = ("one", "two"), []
    for name in names:
        create.operator(name)
    together = threading.Barrier(2)

    def remove(name: str, how: str) -> None:
        together.wait()
        try:
            with transaction() as session:
                operator = operators.get(session, name)
                if how == "take":
                    access.take(session, operator, None)
                else:
                    access.set_active(session, operator, False)
        except Conflict as conflict:
            refused.append(conflict)

    threads = [threading.Thread(target=remove, args=each) for each in zip(names, ("take", "deactivate"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1


def test_nobody_gives_more_than_they_have(create):
    mine, other = create.account("mine"), create.account("other")
    someone = create.operator("mei", role=None)
    by = Access({mine.id: access.EVERYTHING})

    access.give(create.session, someone, Role.OWNER, mine, by)
    for place in (other, None):
        with pytest.raises(Forbidden):
            access.give(create.session, someone, Role.ANALYST, place, by)
    few = Access({mine.id: access.PERMISSIONS[Role.AGENT] | {"people:write", "tokens:write"}})
    access.give(create.session, someone, Role.AGENT, mine, few)
    with pytest.raises(Forbidden):
        access.give(create.session, someone, Role.EDITOR, mine, few)
    with pytest.raises(Forbidden):
        api_tokens.create(create.session, account=mine, name="", scopes=["rules:write"], by=few)
    with pytest.raises(Forbidden):
        api_tokens.create(create.session, account=mine, name="", scopes=["all"], by=few)
    with pytest.raises(Forbidden):
        api_tokens.create(create.session, account=None, name="", scopes=["rules:read"], by=few)
    assert api_tokens.create(create.session, account=mine, name="", scopes=["rules:read"], by=few)


def test_the_sign_in_of_somebody_who_may_do_more_elsewhere_is_not_theirs_to_give(create):
    """An owner of one account adds another's owner as an agent, and must not get in as them."""
    mine, other = create.account("mine"), create.account("other")
    theirs = create.operator("their owner", account=other)
    by = Access({mine.id: access.EVERYTHING})
    _operator, secret = access.invite(create.session, "their owner", Role.AGENT, mine, by)

    assert secret == ""
    with pytest.raises(Forbidden):
        access.get_managed(create.session, mine, theirs.id, by)
    with pytest.raises(NotFound):
        access.get_member(create.session, create.account("third"), theirs.id)
    assert access.get_managed(create.session, mine, theirs.id, Access({None: access.EVERYTHING})) == theirs


def test_a_role_in_all_accounts_is_not_taken_by_an_owner_of_one(create):
    mine, everywhere = create.account("mine"), create.operator("mei", role=Role.AGENT)
    by = Access({mine.id: access.EVERYTHING})

    with pytest.raises(Forbidden):
        access.take(create.session, everywhere, None, by)
    with pytest.raises(NotFound):  # there is none in this account to take
        access.take(create.session, everywhere, mine, by)


def test_an_unknown_role_is_refused():
    with pytest.raises(Refused):
        access.role_of("god")


def test_a_role_reads_what_it_writes():
    for permissions in access.PERMISSIONS.values():
        assert all(each.replace(":write", ":read") in permissions for each in permissions)
