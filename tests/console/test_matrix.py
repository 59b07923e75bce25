"""T20, T21: every route × every role × (own account, another's, none such), against a table written by hand.

A route that is not in the table fails, so whoever adds one has to say here too who may open it.
"""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bot.console import blueprint as door
from bot.services import access, canned_replies, fields, labels, notes, operators, stages
from models import ApiToken, AuditRecord, Membership, Operator, Role
from tests.console.conftest import Browser
from tests.console.policies import ALL, LETTERS, OF_ACCOUNT
from tests.console.samples import TeaHouse
from tests.console.test_doors import VALUES
from tests.factories import Create

# Without an account in the address; a role in one account opens what says "signed in", a role in all the rest too.
SIGNED_IN = {
    "front_door", "accounts_list", "design", "profile", "end_sign_in", "sign_out",
    "second_factor_setup", "second_factor_off",
}  # fmt: skip
OPEN_TO_ALL = {"sign_in", "sign_in_by_link", "sign_in_code", "preferences", "static", "unknown"}
OF_INSTALL = dict.fromkeys(
    ("add_account", "moments_queue", "moments_case", "moments_media", "hold_case", "release_case", "dismiss_case",
     "suspend_member"), "O"
)  # fmt: skip
LAST = (
    "delete_auto_tag",
    "delete_tag",
    "launch_campaign",
    "delete_campaign",
    "delete_segment",
    "delete_rule",
    "delete_note",
    "delete_stage",
    "delete_field",
    "delete_menu",
    "roll_back_menu",
    "restore_rule",
    "revoke_token",
    "sign_out",
    "set_active",
    "remove_person",
)  # they end things


def rules(app: Flask) -> list[Rule]:
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]
    return sorted(found, key=lambda rule: LAST.index(name_of(rule)) if name_of(rule) in LAST else -1)


def name_of(rule: Rule) -> str:
    return rule.endpoint.removeprefix("console.")


def doors(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Route, method, and the letters of who may, for all routes of an account."""
    for rule in rules(app):
        if name_of(rule) in OF_ACCOUNT:
            for method, who in zip(("GET", "POST"), OF_ACCOUNT[name_of(rule)], strict=True):
                if method in (rule.methods or ()):
                    yield rule, method, who


@pytest.fixture
def values(house: TeaHouse, create: Create) -> dict[str, object]:
    """Rows of this account for all ids in the addresses."""
    colleague = create.operator("同事", role=Role.AGENT, account=house.account)
    token = ApiToken(account_id=house.account.id, name="key", digest="0" * 64, scopes=["rules:read"])
    author = operators.find(create.session, "someone") or operators.find(create.session, "owner")
    stage = stages.add(create.session, house.account, "新")
    field = fields.add(create.session, house.account, "城市", "text")
    label = labels.add(create.session, house.account, "退款")
    canned = canned_replies.save(create.session, house.account, "你好", "您好！")
    note = notes.add(create.session, house.people[0], "喜欢龙井", author, "author")
    create.session.add(token)
    create.session.commit()
    return {
        **VALUES,
        "rule_id": house.rules[0].id,
        "follower_id": house.people[0].id,
        "conversation_id": house.conversation.id,
        "operator_id": colleague.id,
        "token_id": token.id,
        "tag_id": house.tags[0].id,
        "auto_tag_id": house.auto_tag.id,
        "segment_id": house.segment.id,
        "campaign_id": house.campaigns[0].id,
        "stage_id": stage.id,
        "field_id": field.id,
        "note_id": note.id,
        "label_id": label.id,
        "canned_id": canned.id,
    }


@pytest.fixture
def someone(app: Flask, create: Create) -> Browser:
    operator = create.operator("someone", role=None)
    browser = Browser(app.test_client(), create.session)
    browser.sign_in(operators.sign_in(create.session, operator, "x"))
    create.session.commit()
    return browser


def give(create: Create, role: Role, account: object) -> None:
    create.session.add(Membership(operator_id=operator_id(create), account_id=account and account.id, role=role))
    create.session.commit()


def operator_id(create: Create) -> int:
    return operators.get(create.session, "someone").id


def ask(browser: Browser, method: str, rule: Rule, values: dict[str, object], account: str, token: str) -> object:
    chosen = {**values, "account": account}
    path = browser.client.application.url_map.bind("localhost").build(
        rule.endpoint, {name: chosen[name] for name in rule.arguments}, method=method
    )
    data = {"csrf_token": token} if method == "POST" else None
    return browser.client.open(path, method=method, data=data, headers={"Accept-Language": "en"})


def text(answer) -> str:
    return re.sub(r'value="[\w.-]{40,}"|csrf_token=[\w.-]+', "", answer.text)  # form tokens hold the second


def test_every_route_is_in_the_table(app: Flask) -> None:
    names = {name_of(rule) for rule in rules(app)}
    assert names == OF_ACCOUNT.keys() | SIGNED_IN | OPEN_TO_ALL | OF_INSTALL.keys()
    for rule in rules(app):
        asks = door.policy_of(app, rule.endpoint) in access.EVERYTHING
        assert asks == (name_of(rule) in OF_ACCOUNT or name_of(rule) in OF_INSTALL), rule.endpoint
        assert ("account" in rule.arguments) == (name_of(rule) in OF_ACCOUNT), rule.endpoint
        for method, who in zip(("GET", "POST"), OF_ACCOUNT.get(name_of(rule), ()), strict=False):
            assert bool(who) == (method in (rule.methods or ())), rule.endpoint


@pytest.mark.parametrize(
    ("letter", "is_everywhere"), [*((letter, False) for letter in ALL), (ALL[0], True), (ALL[-1], True)]
)
def test_t20_route_by_role(
    app: Flask, someone: Browser, create: Create, house: TeaHouse, values, letter: str, is_everywhere: bool
) -> None:
    create.operator("owner")
    give(create, LETTERS[letter], None if is_everywhere else house.account)
    token = someone.token()
    for rule, method, who in doors(app):
        if letter not in who:
            answer = ask(someone, method, rule, values, "tea-house", token)
            assert answer.status_code == 403, (rule.endpoint, method)
            assert "Your role does not allow this." in answer.text
    assert create.session.query(AuditRecord).filter(AuditRecord.action != "operators.sign_in").count() == 0
    create.session.commit()
    for rule, method, who in doors(app):
        if letter in who:
            answer = ask(someone, method, rule, values, "tea-house", token)
            assert answer.status_code in (200, 302, 409, 422), (rule.endpoint, method, answer.status_code)


@pytest.mark.parametrize("role", [*Role, None])
def test_t21_another_account_is_one_that_does_not_exist(
    app: Flask, someone: Browser, create: Create, house: TeaHouse, values, role: Role | None
) -> None:
    if role:
        give(create, role, create.account("mine"))
    token = someone.token()
    for rule, method, _who in doors(app):
        theirs = ask(someone, method, rule, values, "tea-house", token)
        missing = ask(someone, method, rule, values, "tea-hause", token)
        assert (theirs.status_code, missing.status_code) == (404, 404), (rule.endpoint, method)
        assert text(theirs).replace("tea-house", "tea-hause") == text(missing), (rule.endpoint, method)


def test_t21_another_accounts_ids_look_missing(
    app: Flask, someone: Browser, create: Create, house: TeaHouse, values
) -> None:
    """Its own address, with each id of the other account."""
    give(create, Role.OWNER, create.account("mine"))
    token = someone.token()
    gone = {**values, **{name: 999_999 for name in values if name.endswith("_id")}}
    tried = 0
    for rule, method, _who in doors(app):
        if any(name.endswith("_id") for name in rule.arguments):
            theirs = ask(someone, method, rule, values, "mine", token)
            missing = ask(someone, method, rule, gone, "mine", token)
            if rule.endpoint == "console.move_rule":  # refused for its form, before its rule is looked for
                assert theirs.status_code == missing.status_code == 422
                continue
            assert (theirs.status_code, missing.status_code) == (404, 404), (rule.endpoint, method)
            tried += 1
    assert tried > 15


@pytest.mark.parametrize("letter", ALL)
def test_t20_the_install_is_for_roles_in_all_accounts(
    app: Flask, someone: Browser, create: Create, house: TeaHouse, values, letter: str
) -> None:
    token = someone.token()

    def statuses() -> dict[tuple[str, str], int]:
        return {
            (name_of(rule), method): ask(someone, method, rule, values, "", token).status_code
            for rule in rules(app)
            if name_of(rule) in OF_INSTALL
            for method in ("GET", "POST")
            if method in (rule.methods or ())
        }

    give(create, LETTERS[letter], house.account)
    assert set(statuses().values()) == {403}
    create.session.query(Membership).filter(Membership.operator_id == operator_id(create)).delete()
    give(create, LETTERS[letter], None)
    for (name, _method), status in statuses().items():
        assert (status != 403) == (letter in OF_INSTALL[name])


def test_whoever_has_no_role_sees_no_account(someone: Browser, house: TeaHouse) -> None:
    page = someone.open("/accounts").text
    assert "No account for you yet" in page
    assert house.account.title not in page
    assert someone.open("/").headers["Location"] == "/console/accounts"


@pytest.mark.parametrize("letter", ALL)
def test_navigation_and_buttons_lead_nowhere_that_is_shut(
    app: Flask, someone: Browser, create: Create, house: TeaHouse, values, letter: str
) -> None:
    """Each link and each form on each page one may open: none answers 403 or 404."""
    give(create, LETTERS[letter], house.account)
    urls = app.url_map.bind("localhost")
    token = someone.token()
    may = {(rule.endpoint, method): letter in who for rule, method, who in doors(app)}
    for rule, method, who in doors(app):
        if method == "GET" and letter in who:
            page = ask(someone, "GET", rule, values, "tea-house", token).text
            for tag, address in re.findall(r'(<(?:a|form)\b[^>]*?(?:href|action)="(/console/[^"#?]*)[^>]*>)', page):
                how = "POST" if 'method="post"' in tag else "GET"
                endpoint, _values = urls.match(address, how)
                assert may.get((endpoint, how), True), (rule.endpoint, address)


def test_t22_a_role_that_is_taken_away_ends_with_the_next_request(
    someone: Browser, create: Create, house: TeaHouse
) -> None:
    operator = operators.get(create.session, "someone")
    access.give(create.session, operator, Role.EDITOR, house.account)
    create.session.commit()
    assert someone.open("/tea-house/rules").status_code == 200
    access.give(create.session, operator, Role.ANALYST, house.account)
    create.session.commit()
    assert someone.open("/tea-house/rules/new").status_code == 403
    access.take(create.session, operator, house.account)
    create.session.commit()
    assert someone.open("/tea-house/rules").status_code == 404


def test_t17_the_cookie_changes_with_the_role(someone: Browser, create: Create, house: TeaHouse) -> None:
    operator: Operator = operators.get(create.session, "someone")
    first = someone.client.get_cookie("lobby")
    access.give(create.session, operator, Role.EDITOR, house.account)
    create.session.commit()
    assert someone.open("/tea-house/").status_code == 200
    second = someone.client.get_cookie("lobby")
    assert first.value != second.value
    assert someone.open("/tea-house/").status_code == 200
    assert someone.client.get_cookie("lobby").value == second.value  # once is enough
    someone.client.set_cookie("lobby", first.value)
    assert someone.open("/tea-house/").status_code == 302  # to the sign-in
