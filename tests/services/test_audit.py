"""Before and after, read off the rows that a change touched."""

import json

import pytest
from sqlalchemy import event

from bot import clock
from bot.services import access, accounts, audit, followers, rules
from models import AuditRecord, Role


@pytest.fixture
def create(create):
    """A door's session lives as long as its transaction; this one begins anew with each row that is arranged."""
    event.listen(create.session, "after_commit", lambda session: session.info.clear())
    return create


def last(create) -> AuditRecord:
    create.session.flush()
    return create.session.query(AuditRecord).order_by(AuditRecord.id.desc()).first()


def test_only_what_changed(create):
    account = create.account("mine", title="Old")
    accounts.update(create.session, account, {"title": "New", "timezone": account.timezone})
    audit.record(create.session, "accounts.edit", account_id=account.id)

    assert (last(create).before, last(create).after) == ({"title": "Old"}, {"title": "New"})


def test_what_holds_for_campaigns_is_told(create):
    account = create.account("mine")
    accounts.update(create.session, account, {"cap_messages": 3, "approval_above": 100, "opt_out_words": ["取消"]})
    audit.record(create.session, "accounts.edit")
    assert last(create).after == {"cap_messages": 3, "approval_above": 100, "opt_out_words": ["取消"]}

    follower = create.follower(account)
    followers.set_opted_out(create.session, follower, True, "林")
    followers.set_timezone(follower, "Asia/Tokyo")
    audit.record(create.session, "followers.change")
    assert set(last(create).after) == {"opted_out_at", "timezone"}
    assert (last(create).before["opted_out_at"], last(create).after["timezone"]) == (None, "Asia/Tokyo")


def test_no_secret_is_told_only_that_it_changed(create):
    account = create.account("mine")
    accounts.update(create.session, account, {"secret": "canary" * 5, "token": "canary2"})
    audit.record(create.session, "accounts.edit")

    assert "canary" not in json.dumps([last(create).before, last(create).after])
    assert set(last(create).after) == {"sealed_secret", "sealed_token"}
    assert last(create).before != last(create).after


def test_what_a_follower_wrote_is_not_kept(create):
    follower = create.follower(create.account("mine"), nickname="canary")
    follower.nickname, follower.seen_at = "canary 2", clock.now()
    followers.rename(create.session, follower, "our own word")
    audit.record(create.session, "followers.rename")

    assert "canary" not in json.dumps([last(create).before, last(create).after])
    assert last(create).after == {"remark": "our own word"}


def test_a_new_row_has_no_before_and_a_deleted_one_no_after(create):
    account = create.account("mine")
    draft = rules.RuleDraft.model_validate(
        {"keywords": [{"mode": "exact", "text": "hello"}], "replies": [{"kind": "text", "text": "hi"}]}
    )
    rule = rules.save(create.session, account, draft)
    audit.record(create.session, "rules.add")
    made = last(create)
    assert made.before is None
    assert made.after["keywords"] == [{"mode": "exact", "text": "hello"}]

    rules.delete(create.session, account, rule)
    audit.record(create.session, "rules.delete")
    assert last(create).before == made.after
    assert last(create).after is None


def test_each_record_has_its_own_changes(create):
    account = create.account("mine", title="1")
    accounts.update(create.session, account, {"title": "2"})
    audit.record(create.session, "accounts.edit")
    audit.record(create.session, "operators.sign_in")

    assert (last(create).before, last(create).after) == (None, None)


def test_several_changes_of_one_row_are_one(create):
    account = create.account("mine", title="1")
    for title in "23":
        accounts.update(create.session, account, {"title": title})
        create.session.flush()
    audit.record(create.session, "accounts.edit")

    assert (last(create).before, last(create).after) == ({"title": "1"}, {"title": "3"})


def test_the_page_is_of_one_account_and_filtered(create):
    mine, other = create.account("mine"), create.account("other")
    mei = create.operator("mei", role=Role.AGENT, account=mine)
    access.take(create.session, mei, mine)
    for account, action, who in (
        (mine, "rules.edit", mei),
        (mine, "api.rules.change_rule", None),
        (mine, "rulesets.x", None),
        (other, "rules.edit", mei),
        (None, "operators.sign_in", mei),
    ):
        audit.record(create.session, action, account_id=account and account.id, operator_id=who.id if who else None)
    create.session.commit()

    def actions(**given) -> list[str]:
        return [each.action for each in audit.page(create.session, mine.id, **given)]

    assert actions() == ["rulesets.x", "api.rules.change_rule", "rules.edit"]
    assert actions(with_install=True)[0] == "operators.sign_in"
    assert actions(kind="rules") == ["api.rules.change_rule", "rules.edit"]
    assert actions(kind="%") == []
    assert actions(operator_id=mei.id) == ["rules.edit"]
    newest = audit.page(create.session, mine.id, limit=1)
    assert actions(before=newest[0].id, limit=1) == ["api.rules.change_rule"]
