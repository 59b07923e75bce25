"""T20: every endpoint × what each role may do × (own account, another's, none such), and who may give what to whom."""

import json

import pytest
from sqlalchemy import select

from bot.api.contract import ENDPOINTS
from bot.database import reading
from bot.services import access, accounts, api_tokens, operators
from models import ApiToken, Membership, Role
from tests.api.test_contract import LATE, address, body_of, rows  # noqa: F401 - a fixture

# Noun of a scope → the roles that may read it, and those that may write it; by hand, as the console's table is.
LETTERS = dict(zip("OEMGA", Role, strict=True))  # Owner, Editor, Marketer, aGent, Analyst
MAY = {
    "accounts": ("OEMGA", "O"),
    "rules": ("OEMGA", "OE"),
    "menus": ("OEMA", "OEM"),
    "followers": ("OEMGA", "OEMG"),
    "tags": ("OEMGA", "OEM"),
    "fields": ("OEMGA", "OEM"),
    "messages": ("OEMGA", "OE"),
    "conversations": ("OEG", "OEG"),
    "sends": ("OEG", "OEG"),
    "tasks": ("OEMGA", "OE"),
    "people": ("O", "O"),
    "tokens": ("O", "O"),
    "segments": ("OEMGA", "OEM"),
    "campaigns": ("OEMGA", "OEM"),
    "assistant": ("OEMGA", "OE"),
    "moments": ("O", "O"),
    "health": ("OEMA", ""),
    "audit": ("O", ""),
}
# What ends a row, or a draft, comes after all that asks for it.
ENDING = ("hand_back_conversation", "restore_rule_version")
IN_ORDER = sorted(ENDPOINTS, key=lambda known: (known.method == "DELETE", known.name in ENDING, -len(known.path)))


def test_the_table_is_whole():
    assert {known.scope.partition(":")[0] for known in ENDPOINTS} == MAY.keys()
    for letter, role in LETTERS.items():
        expected = {
            f"{noun}:{act}"
            for noun, who in MAY.items()
            for act, ok in zip(("read", "write"), who, strict=True)
            if letter in ok
        }
        assert access.PERMISSIONS[role] == expected


def may(letter: str, scope: str) -> bool:
    noun, _, act = scope.partition(":")
    return letter in MAY[noun][act == "write"]


@pytest.mark.parametrize("letter", LETTERS)
def test_t20_endpoint_by_role(letter, rows, create, api_as):  # noqa: F811
    mine = operators_account(create)
    ours = api_as(mine, *access.PERMISSIONS[LETTERS[letter]])
    foreign = api_as(create.account("other"), *access.PERMISSIONS[LETTERS[letter]])

    def ask(api, known, slug):
        return api(known.method, address(known, slug, rows), body_of(known, rows))

    for known in IN_ORDER:
        if known.is_of_account:
            theirs, missing = ask(foreign, known, "mine"), ask(foreign, known, "gone")
            expected = 404 if may(letter, known.scope) else 403
            assert (theirs.status_code, missing.status_code) == (expected, expected), known.name
            assert theirs.data.replace(b"mine", b"gone") == missing.data
        if not may(letter, known.scope):
            assert ask(ours, known, "mine").status_code == 403, known.name
    for known in IN_ORDER:
        if may(letter, known.scope):
            answer = ask(ours, known, "mine")
            is_for_all = not known.is_of_account and known.name != "list_accounts"  # needs a token for all accounts
            done = LATE.get(known.name, known.status)
            assert answer.status_code == (403 if is_for_all else done), (known.name, answer.data)


def operators_account(create):
    with reading() as session:  # the test's own session would hold SQLite's write lock
        return accounts.get(session, "mine")


def test_a_token_gives_no_role_and_no_scope_that_it_lacks(rows, create, api_as):  # noqa: F811
    mine = operators_account(create)
    few = api_as(mine, "people:write", "tokens:write", *access.PERMISSIONS[Role.AGENT])
    agent = rows["operator_id"]

    refused = [
        few.post("/accounts/mine/invitations", {"name": "x", "role": "owner"}),
        few.post("/accounts/mine/invitations", {"name": "x", "role": "agent", "everywhere": True}),
        few.patch(f"/accounts/mine/members/{agent}", {"role": "owner"}),
        few.post("/accounts/mine/tokens", {"scopes": ["all"]}),
        few.post("/accounts/mine/tokens", {"scopes": ["rules:write"]}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5
    create.operator("editor", role=Role.EDITOR, account=mine)
    editor = operators.get(create.session, "editor").id
    create.session.commit()
    for path in ("sign-ins", "second-factor"):
        assert few.delete(f"/accounts/mine/members/{editor}/{path}").status_code == 403
    assert few.patch(f"/accounts/mine/members/{editor}", {"is_active": False}).status_code == 403
    everywhere = api_as(None, "people:write")
    assert everywhere.post("/sign-in-links", {"operator": "owner"}).status_code == 403
    assert everywhere.post("/operators", {"name": "x", "role": "owner"}).status_code == 403

    made = few.post("/accounts/mine/tokens", {"scopes": ["rules:read"]}).json["token"]
    with reading() as session:
        token = api_tokens.find(session, made)
    assert (token.account_id, token.scopes) == (mine.id, ["rules:read"])


def test_an_invitation_by_api_signs_in_once(rows, api, create):  # noqa: F811
    made = api.post("/accounts/mine/invitations", {"name": "小林", "role": "agent"}).json
    again = api.post("/accounts/mine/invitations", {"name": "小林", "role": "agent"})

    assert again.status_code == 409
    secret = made["url"].rpartition("/")[2]
    assert operators.redeem_link(create.session, secret, "x")
    with pytest.raises(operators.Unauthenticated):
        operators.redeem_link(create.session, secret, "x")


def test_the_last_owner_stays(rows, api, create):  # noqa: F811
    owner = operators.get(create.session, "owner").id
    create.session.commit()
    for answer in (
        api.delete(f"/accounts/mine/members/{owner}?everywhere=true"),
        api.patch(f"/accounts/mine/members/{owner}", {"role": "agent", "everywhere": True}),
        api.patch(f"/accounts/mine/members/{owner}", {"is_active": False}),
    ):
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")


def test_t24_what_nobody_may_set_is_refused_and_nothing_changed(rows, api, create):  # noqa: F811
    agent = rows["operator_id"]
    for more in ({"account_id": 1}, {"operator_id": 1}, {"is_admin": True}, {"scopes": ["all"]}):
        assert api.patch(f"/accounts/mine/members/{agent}", {"role": "agent", **more}).status_code == 422
    for path in ("invitations", "tokens"):
        body = {"name": "x", "role": "agent"} if path == "invitations" else {"scopes": ["rules:read"]}
        assert api.post(f"/accounts/mine/{path}", {**body, "account_id": None}).status_code == 422
    create.session.expire_all()
    roles = create.session.scalars(select(Membership.role).where(Membership.operator_id == agent)).all()
    assert roles == [Role.AGENT]


def test_the_log_is_read_by_api(rows, api, api_as, create):  # noqa: F811
    api.patch(f"/accounts/mine/members/{rows['operator_id']}", {"role": "editor"})
    mine = api_as(operators_account(create), "audit:read").get("/accounts/mine/audit?kind=people").json

    assert mine["items"][0]["action"] == "api.people.change_member"
    assert (mine["items"][0]["before"], mine["items"][0]["after"]) == ({"role": "agent"}, {"role": "editor"})
    with reading() as session:
        keys = session.scalars(select(ApiToken.digest)).all()
    assert not any(key in json.dumps(api.get("/accounts/mine/audit").json) for key in keys)
