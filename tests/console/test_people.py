"""People, tokens and the audit log in the console, and the second step at sign-in."""

import json
import re
import time

import pytest
from flask import Flask
from sqlalchemy import select

from bot import clock
from bot.services import api_tokens, operators, passwords, second_factor
from bot.services import rules as rules_service
from bot.services.rules import RuleDraft
from models import ApiToken, AuditRecord, Conversation, Membership, Operator, Role, SignIn
from tests.console.conftest import Browser
from tests.console.policies import OF_ACCOUNT
from tests.console.samples import RULES, TeaHouse
from tests.console.test_campaigns import COMPOSED
from tests.console.test_matrix import ask, name_of, rules, values  # noqa: F401 - a fixture
from tests.console.test_segments import typed
from tests.factories import Create

PASSWORD = "a correct sentence"
AMONG_CAMPAIGNS = {"steer_campaign": 3, "pace_campaign": 3, "delete_campaign": 7}  # the others change the first
MENU_FOR_SOME = {
    "id": 9,
    "title": "x",
    "matchrule": {"client_platform_type": "2"},
    "buttons": [{"type": "view", "name": "A", "url": "https://tea.example.com"}],
}


def records(create: Create, action: str) -> list[AuditRecord]:
    create.session.expire_all()
    return list(create.session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


def link_in(page: str) -> str:
    found = re.search(r"<code>http[^<]*(/sign-in/[\w-]{43})</code>", page)
    assert found
    return found[1]


def test_an_invitation_signs_in_once_with_its_role(
    browser: Browser, stranger: Browser, app: Flask, create: Create, house: TeaHouse
) -> None:
    page = browser.send("/tea-house/people/invite", name="小林", role="agent").text
    link = link_in(page)
    assert link not in browser.open("/tea-house/people").text  # shown once
    assert "not signed in yet" in browser.open("/tea-house/people").text
    assert stranger.send(link).status_code == 302
    assert stranger.open("/tea-house/conversations").status_code == 200
    assert stranger.open("/tea-house/settings").status_code == 403
    again = Browser(app.test_client(), create.session)
    assert again.send(link).status_code == 410

    (record,) = records(create, "people.invite")
    assert record.account_id == house.account.id
    assert record.operator_id == operators.get(create.session, "owner").id
    assert {"role": "agent"} in record.after.values()


def test_an_invitation_expires(
    browser: Browser, stranger: Browser, create: Create, house: TeaHouse, monkeypatch
) -> None:
    link = link_in(browser.send("/tea-house/people/invite", name="小林", role="agent").text)
    real = clock.now()
    monkeypatch.setattr("bot.services.operators.utc_now", lambda: real + operators.timedelta(days=3, minutes=1))
    assert stranger.send(link).status_code == 410


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"name": "", "role": "agent"}, 422),
        ({"name": "x", "role": "god"}, 422),
        ({"name": "owner", "role": "agent", "everywhere": "1"}, 409),
    ],
)
def test_a_refused_invitation_keeps_what_was_typed(browser: Browser, house: TeaHouse, given, status) -> None:
    answer = browser.send("/tea-house/people/invite", **given)
    assert answer.status_code == status
    assert f'value="{given["name"]}"' in answer.text
    assert 'role="alert"' in answer.text


def test_an_owner_of_one_account_gives_no_role_in_all(app: Flask, create: Create, house: TeaHouse) -> None:
    create.operator("owner")
    theirs = create.operator("theirs", account=house.account)
    browser = Browser(app.test_client(), create.session)
    browser.sign_in(operators.sign_in(create.session, theirs, "x"))
    create.session.commit()
    assert 'type="checkbox" name="everywhere"' not in browser.open("/tea-house/people").text
    assert browser.send("/tea-house/people/invite", name="x", role="agent", everywhere="1").status_code == 403
    assert browser.send("/tea-house/tokens", scopes="rules:read", everywhere="1").status_code == 403
    owner = operators.get(create.session, "owner")
    for act in ("link", "end-browsers", "second-factor/off", "active"):
        assert browser.send(f"/tea-house/people/{owner.id}/{act}").status_code == 403, act
    assert browser.send(f"/tea-house/people/{owner.id}/remove", everywhere="1").status_code == 403
    assert browser.send(f"/tea-house/people/{owner.id}/role", role="agent", everywhere="1").status_code == 403
    create.session.expire_all()
    roles = create.session.scalars(select(Membership.role).where(Membership.operator_id == owner.id)).all()
    assert roles == [Role.OWNER]


def test_the_last_owner_stays(browser: Browser, owner: Operator, house: TeaHouse) -> None:
    for act, data in (("remove", {}), ("role", {"role": "editor"}), ("active", {"on": "0"})):
        answer = browser.send(f"/tea-house/people/{owner.id}/{act}", everywhere="1", **data)
        assert answer.status_code == 409
        assert "owner is the last owner" in answer.text
    assert browser.open("/tea-house/people").status_code == 200


def test_somebody_deactivated_is_out_at_once_and_comes_back(
    browser: Browser, stranger: Browser, create: Create, house: TeaHouse
) -> None:
    mei = create.operator("mei", PASSWORD, role=Role.EDITOR, account=house.account)
    stranger.send("/sign-in", name="mei", password=PASSWORD)
    assert stranger.open("/tea-house/").status_code == 200
    browser.send(f"/tea-house/people/{mei.id}/active", on="0")
    assert stranger.open("/tea-house/").status_code == 302
    assert stranger.send("/sign-in", name="mei", password=PASSWORD).status_code == 401
    browser.send(f"/tea-house/people/{mei.id}/active", on="1")
    assert stranger.send("/sign-in", name="mei", password=PASSWORD).status_code == 302
    browser.send(f"/tea-house/people/{mei.id}/end-browsers")
    assert stranger.open("/tea-house/").status_code == 302
    (record,) = records(create, "people.deactivate")
    assert (record.before, record.after) == ({"is_active": True}, {"is_active": False})


def test_a_role_is_changed_and_says_what_it_was(browser: Browser, create: Create, house: TeaHouse) -> None:
    mei = create.operator("mei", role=Role.EDITOR, account=house.account)
    browser.send(f"/tea-house/people/{mei.id}/role", role="analyst")
    (record,) = records(create, "people.role")
    assert (record.detail, record.before, record.after) == ("mei", {"role": "editor"}, {"role": "analyst"})
    page = browser.open("/tea-house/audit?kind=people").text
    assert "Changed the role of" in page
    assert "<dd>Editor</dd>" in page


def test_t24_fields_that_no_form_has_change_nothing(browser: Browser, create: Create, house: TeaHouse) -> None:
    more = {"role": "owner", "account_id": "1", "status": "x", "is_admin": "1", "operator_id": "1", "is_active": "0"}
    follower, roles = house.people[0], create.session.query(Membership).count()
    browser.send(f"/tea-house/followers/{follower.id}/remark", remark="x", **more)
    browser.send("/tea-house/settings", title="x", slug="stolen", id="9", **more)
    create.session.expire_all()
    assert (house.account.slug, follower.account_id) == ("tea-house", house.account.id)
    assert create.session.query(Membership).count() == roles


def test_a_token_is_shown_once_and_revoked(browser: Browser, create: Create, house: TeaHouse) -> None:
    page = browser.send("/tea-house/tokens", name="report", scopes="rules:read").text
    plain = re.search(r"lby_[\w-]{43}", page)
    assert plain
    assert plain[0] not in browser.open("/tea-house/tokens").text
    token = api_tokens.find(create.session, plain[0])
    assert (token.account_id, token.scopes) == (house.account.id, ["rules:read"])
    create.session.commit()
    assert browser.send(f"/tea-house/tokens/{token.id}/revoke").status_code == 302
    create.session.expire_all()
    assert api_tokens.find(create.session, plain[0]) is None
    assert browser.send("/tea-house/tokens", name="none").status_code == 422
    assert plain[0] not in str([(each.before, each.after, each.detail) for each in records(create, "tokens.create")])
    assert create.session.query(ApiToken).count() == 1


# They change nothing, or (presence, drafts) nothing that lasts; the two of the inbox need a fresh act to take back.
UNRECORDED = {"preview_segment", "preview_campaign", "inbox_here", "save_draft"}
UNRECORDED |= {"undo_conversations", "reopen_conversation"}


def test_what_is_taken_back_leaves_a_record_too(browser: Browser, house: TeaHouse, create: Create) -> None:
    token = browser.token()
    talk = create.session.scalars(select(Conversation.id).where(Conversation.closed_at.is_(None))).first()
    create.session.commit()

    def send(path: str, **form: str) -> str:
        answer = browser.client.post(f"/console/tea-house/conversations/{path}", data={"csrf_token": token, **form})
        assert answer.status_code == 302
        create.session.commit()
        action = create.session.scalars(select(AuditRecord.action).order_by(AuditRecord.id.desc())).first()
        create.session.commit()
        return action

    assert send(f"{talk}/hand-back") == "conversations.hand_back"
    assert send(f"{talk}/reopen") == "conversations.reopen"
    assert send(f"{talk}/act", act="close") == "conversations.close"
    press = re.search(r"conversations/undo\?press=([^&\"]+)", browser.open(f"/tea-house/conversations/{talk}").text)[1]
    assert send(f"undo?press={press}") == "conversations.undo"


def test_every_change_of_an_account_leaves_one_record(
    app: Flask,
    browser: Browser,
    create: Create,
    house: TeaHouse,
    values,  # noqa: F811
) -> None:
    """A POST that did something wrote exactly one line; one that was refused wrote none."""
    token, done = browser.token(), set()
    forms = {
        "reply_to_conversation": {"text": "hi"},
        "move_rule": {"position": "1"},
        "switch_rule": {"on": "0"},
        "change_follower": {"remark": "x"},
        "change_followers": {"ids": str(house.people[0].id)},
        "add_note": {"text": "hi"},
        "ask_assistant": {"question": "几点开门"},
        "assistant_settings": {"url": "https://api.example.com/v1", "model": "m", "turns": "4", "max_tokens": "600"},
        "add_source": {"name": "x", "kind": "text", "content": "九点开门。"},
        "knowledge_source": {"name": "y", "kind": "text", "content": "十点开门。"},
        "add_label": {"name": "新标记"},
        "change_label": {"name": "y"},
        "add_canned_reply": {"name": "新的", "text": "您好"},
        "change_canned_reply": {"name": "另一句", "text": "再见"},
        "act_on_conversation": {"act": "close"},
        "act_on_conversations": {"act": "close", "ids": str(values["conversation_id"])},
        "note_on_conversation": {"note": "hi"},
        "take_part": {"available": "1", "capacity": "5"},
        "add_stage": {"stage.name": "x"},
        "change_stage": {f"stage-{values['stage_id']}.name": "y"},
        "change_field": {f"field-{values['field_id']}.name": "y"},
        "add_field": {"field.name": "x", "field.kind": "text"},
        "account_settings": {"title": "New"},
        "add_segment": typed(house.tags[2].id) | {"do": "save"},
        "segment": typed(house.tags[2].id) | {"name": "x", "do": "save", "seen": house.segment.updated_at.isoformat()},
        "restore_segment": {
            "draft": json.dumps({"name": "y", "conditions": {"field": "follows", "op": "is", "value": True}})
        },
        "add_campaign": COMPOSED,
        "campaign_plan": COMPOSED,
        "steer_campaign": {"do": "pause"},
        "move_campaign": {"starts": "2099-01-01T10:00"},
        "add_tag": {"name": "新"},
        "rename_tag": {"name": "老"},
        "settle_tag_problems": {"do": "retry"},
        "add_auto_tag": {"trigger": "follow", "mode": "exact", "tag": "新"},
        "tag_followers": {"ids": str(house.people[1].id), "tag": "新"},
        "tag_follower": {"tag": "新"},
        "add_menu": {"client_platform_type": "2"},
        "move_menu": {"position": "1"},
        "restore_menu": {"position": "1", "menu": json.dumps(MENU_FOR_SOME)},
        "menu_edit": {
            "client_platform_type": "1",
            "buttons.0.name": "A",
            "buttons.0.type": "view",
            "buttons.0.value": "https://tea.example.com",
        },
        "invite": {"name": "new", "role": "agent"},
        "change_role": {"role": "analyst"},
        "create_token": {"scopes": "rules:read"},
        "add_rule": {"trigger": "follow", "replies.0.kind": "text", "replies.0.text": "hi"},
        "edit_rule": {"trigger": "follow", "replies.0.kind": "text", "replies.0.text": "hi"},
        "add_account": {"slug": "shop", "title": "x", "kind": "service", "mode": "safe", "timezone": "UTC"},
        "restore_rule": {"position": "1", "draft": '{"trigger": "follow", "replies": [{"kind": "text", "text": "x"}]}'},
    }

    def count() -> int:
        create.session.commit()
        return create.session.query(AuditRecord).count()

    for rule in rules(app):
        name = name_of(rule)
        changes = name not in UNRECORDED and (name in OF_ACCOUNT or name == "add_account")
        if "POST" in rule.methods and changes:
            before = count()
            create.session.commit()
            if name == "publish_rules":
                rules_service.save(create.session, house.account, RuleDraft.model_validate(RULES[0]), live=False)
                create.session.commit()
                seen = re.search(r'name="seen" value="(\w+)"', browser.open("/tea-house/rules/publish").text)
                forms[name] = {"name": "spring", "seen": seen and seen[1]}
            values["campaign_id"] = house.campaigns[AMONG_CAMPAIGNS.get(name, 0)].id
            path = app.url_map.bind("localhost").build(
                rule.endpoint, {each: values[each] for each in rule.arguments}, method="POST"
            )
            answer = browser.client.post(path, data={"csrf_token": token, **forms.get(name, {})})
            wrong = re.findall(r'class="error"[^>]*>(?:<svg.*?</svg>)?([^<]+)', answer.text, re.DOTALL)
            assert answer.status_code in (200, 302), (name, wrong)
            assert count() == before + 1, name
            done.add(name)
    assert len(done) > 20
    for browser.language in ("en", "zh"):
        page = browser.open("/tea-house/audit")
        assert page.status_code == 200
        assert re.findall(r"<strong>[a-z_]+\.[a-z_]+</strong>", page.text) == []  # an action that has no name


def enrol(browser: Browser) -> tuple[str, list[str]]:
    page = browser.open("/profile/second-factor").text
    secret, offer = (
        re.search(r"<code>([A-Z2-7]{32})</code>", page)[1],
        re.search(r'name="offer" value="([^"]+)"', page)[1],
    )
    assert 'class="qr"' in page
    wrong = browser.send("/profile/second-factor", offer=offer, code="000000")
    assert wrong.status_code == 422
    assert secret in wrong.text  # the same one is asked about again
    page = browser.send("/profile/second-factor", offer=offer, code=code(secret)).text
    return secret, re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", page)


def code(secret: str, steps: int = 0) -> str:
    return second_factor.code_at(secret, int(clock.now().timestamp()) // 30 + steps)


@pytest.fixture
def mei(create: Create, stranger: Browser) -> Browser:
    """Signed in by a password."""
    passwords._tries_here.clear()
    create.operator("owner")
    create.operator("mei", PASSWORD, role=Role.EDITOR)
    stranger.send("/sign-in", name="mei", password=PASSWORD)
    return stranger


def test_the_second_step_is_asked_for_and_each_code_taken_once(mei: Browser, app: Flask, create: Create) -> None:
    secret, codes = enrol(mei)
    assert len(codes) == 10
    other = Browser(app.test_client(), create.session)

    def password() -> None:
        page = other.send("/sign-in", name="mei", password=PASSWORD, next="/console/accounts")
        assert "One more step" in page.text
        assert other.client.get_cookie("lobby") is None

    password()
    assert other.open("/profile").status_code == 302  # the password alone opens nothing
    shown = code(secret, 1)
    assert other.send("/sign-in/code", code="123456").status_code == 401
    answer = other.send("/sign-in/code", code=shown)
    assert answer.headers["Location"] == "/console/accounts"
    assert other.open("/profile").status_code == 200
    for taken, status in ((shown, 401), (codes[0], 302), (codes[0], 401)):
        other.send("/sign-out")
        password()
        assert other.send("/sign-in/code", code=taken).status_code == status
    assert "9 recovery codes are left" in mei.open("/profile").text


def test_the_second_step_counts_against_the_same_lock_out(mei: Browser, app: Flask, create: Create) -> None:
    secret, _codes = enrol(mei)
    passwords._tries_here.clear()
    other = Browser(app.test_client(), create.session)
    other.send("/sign-in", name="mei", password=PASSWORD)
    answers = [other.send("/sign-in/code", code="000000").status_code for _ in range(13)]
    assert answers[:9] == [401] * 9  # with the password that is ten
    assert answers[10:] == [429] * 3
    assert other.send("/sign-in/code", code=code(secret, 1)).status_code == 429


def test_the_second_step_waits_five_minutes_and_ends_with_the_password(
    mei: Browser, app: Flask, create: Create, monkeypatch
) -> None:
    secret, _codes = enrol(mei)
    other = Browser(app.test_client(), create.session)
    other.send("/sign-in", name="mei", password=PASSWORD)
    operators.set_password(create.session, operators.get(create.session, "mei"), "another sentence")
    create.session.commit()
    assert other.send("/sign-in/code", code=code(secret, 1)).headers["Location"] == "/console/sign-in"
    other.send("/sign-in", name="mei", password="another sentence")
    real = time.time()
    monkeypatch.setattr("bot.console.sign_in.time.time", lambda: real + 301)
    assert other.send("/sign-in/code", code=code(secret, 1)).headers["Location"] == "/console/sign-in"


def test_an_owner_resets_it_and_oneself_with_a_code(
    mei: Browser, browser: Browser, app: Flask, create: Create, house: TeaHouse
) -> None:
    secret, codes = enrol(mei)
    assert mei.send("/profile/second-factor/off", code="000000").status_code == 422
    mei_id = operators.get(create.session, "mei").id
    create.session.commit()
    assert browser.send(f"/tea-house/people/{mei_id}/second-factor/off").status_code == 302
    other = Browser(app.test_client(), create.session)
    assert other.send("/sign-in", name="mei", password=PASSWORD).status_code == 302
    secret, codes = enrol(other)
    assert other.send("/profile/second-factor/off", code=codes[0]).status_code == 302
    assert "Set it up" in other.open("/profile").text
    kept = [(each.before, each.after, each.detail) for each in create.session.scalars(select(AuditRecord))]
    assert secret not in str(kept)


def test_t17_the_cookie_changes_with_the_password(mei: Browser, create: Create) -> None:
    old = mei.client.get_cookie("lobby").value
    mei.send("/profile", current=PASSWORD, password="another sentence")
    new = mei.client.get_cookie("lobby").value
    assert new != old
    assert mei.open("/profile").status_code == 200
    assert create.session.query(SignIn).count() == 1
    create.session.commit()
    mei.client.set_cookie("lobby", old)
    assert mei.open("/profile").status_code == 302
