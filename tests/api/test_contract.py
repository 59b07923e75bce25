"""What holds for every endpoint, walked over what is declared."""

import json
import re

import pytest
from apiflask import APIFlask
from flask import Flask
from sqlalchemy import select

from bot import api as door
from bot import clock
from bot.api.contract import ENDPOINTS, bp, endpoint
from bot.database import reading, transaction
from bot.services import access, api_tokens
from bot.services import rules as rules_service
from bot.services.api_tokens import SCOPES
from bot.services.rules import RuleDraft
from models import (
    Answer,
    ApiToken,
    Assistant,
    AuditRecord,
    AutoTag,
    CannedReply,
    Conversation,
    Field,
    InboundMessage,
    Label,
    MenuVersion,
    Note,
    Role,
    Segment,
    Send,
    Source,
    Stage,
    Tag,
    Takeover,
    Task,
    Trigger,
)
from tests.api import campaign_rows, moments_rows
from tests.api.document import misfit_of

BODIES = {
    "create_account": {"slug": "third"},
    "create_rule": {"keywords": [{"text": "a"}], "replies": [{"kind": "text", "text": "b"}]},
    "replace_rule": {"keywords": [{"text": "a"}], "replies": [{"kind": "text", "text": "b"}]},
    "explain_rules": {"text": "a"},
    "publish_rules": {"name": "spring"},
    "save_menu": {"buttons": []},
    "save_menu_reply": {"key": "k", "text": "t"},
    "create_send": {"reply": {"kind": "text", "text": "hi"}},
    "reply_to_conversation": {"reply": {"kind": "text", "text": "hi"}},
    "change_follower": {"remark": "x"},
    "change_followers": {"ids": [1], "stage_id": None},
    "add_note": {"text": "likes tea"},
    "create_stage": {"name": "New"},
    "change_stage": {"name": "Newer", "position": 0},
    "create_field": {"name": "City"},
    "change_field": {"name": "Town", "position": 0},
    "open_conversation": {"follower_id": 1},
    "act_on_conversations": {"ids": [1], "act": "give_back"},
    "undo_conversations": {"id": "0" * 32},
    "note_on_conversation": {"text": "hi"},
    "add_label": {"name": "Delivery"},
    "rename_label": {"name": "Refunds"},
    "add_canned_reply": {"name": "bye", "text": "Goodbye!"},
    "change_canned_reply": {"name": "hello", "text": "Hello {{nickname}}!"},
    "create_operator": {"name": "Mei"},
    "create_sign_in_link": {"operator": "guest"},
    "change_member": {"role": "agent"},
    "invite_member": {"name": "Ann", "role": "analyst"},
    "create_segment": {"name": "Regulars", "conditions": {"field": "follows", "op": "is", "value": True}},
    "replace_segment": {"name": "Old regulars", "conditions": {"field": "follows", "op": "is", "value": True}},
    "try_segment": {"conditions": {"field": "follows", "op": "is", "value": True}},
    "create_token": {"scopes": ["tokens:write"]},
    "create_tag": {"name": "New"},
    "rename_tag": {"name": "Gold"},
    "settle_tag_problems": {"do": "retry"},
    "create_auto_tag": {"trigger": "keyword", "pattern": "price", "tag_id": 1},
    "replace_auto_tag": {"trigger": "follow", "tag_id": 1},
    "change_assistant": {"turns": 2},
    "create_source": {"name": "Hours", "kind": "text", "content": "Open from nine."},
    "replace_source": {"name": "Opening", "kind": "csv", "content": "When?,From nine."},
    "search_knowledge": {"text": "open"},
    "try_assistant": {"question": "When are you open?"},
    "hold_case": {"reason": "spam"},
    **campaign_rows.BODIES,
}
# Nobody gives what they do not have: beside its scope, these need those of what they give or take over.
GIVING = {"change_member": Role.AGENT, "invite_member": Role.ANALYST}
TAKING_OVER = {"end_member_sign_ins", "reset_member_second_factor"}

# There is nothing fresh to take back, and no file in JSON.
LATE = {"upload_media": 422, "undo_conversations": 409, "reopen_conversation": 409}


@pytest.fixture
def rows(create, session):
    """One row of each kind in account "mine"; returns the ids by the name of the path's part."""
    account = create.account("mine")
    create.operator("owner")
    create.operator("guest", role=None)
    agent = create.operator("agent", role=Role.AGENT, account=account)
    follower = create.follower(account, may_get=5)
    rule = create.rule(account, "price", "99")
    message = InboundMessage(
        account_id=account.id, openid=follower.openid, dedup_key="1", follower_id=follower.id, kind="text", text="hi"
    )
    send = Send(account_id=account.id, follower_id=follower.id, reply={"kind": "text", "text": "hi"})
    task = Task(account_id=account.id, kind="menu_publish")
    conversation = Conversation(account_id=account.id, follower_id=follower.id)
    takeover = Takeover(account_id=account.id, selfmenu={"is_menu_open": 0}, autoreply={})
    version = MenuVersion(account_id=account.id, number=1)
    segment = Segment(
        account_id=account.id, name="new", conditions={"all": [{"field": "follows", "op": "is", "value": True}]}
    )
    key = ApiToken(account_id=account.id, name="key", digest="0" * 64, scopes=["rules:read"])
    stage, field = Stage(account_id=account.id, name="First"), Field(account_id=account.id, name="Size")
    note = Note(account_id=account.id, follower_id=follower.id, text="hi")
    label, canned = (
        Label(account_id=account.id, name="Refund"),
        CannedReply(account_id=account.id, name="hi", text="Hi!"),
    )
    session.add_all([label, canned])
    tag = Tag(account_id=account.id, name="VIP")
    session.add(tag)
    session.flush()
    auto_tag = AutoTag(account_id=account.id, trigger=Trigger.FOLLOW, tag_id=tag.id)
    session.add_all([auto_tag, segment, message, send, task, conversation, takeover, version, key])
    session.add_all([stage, field, note])
    source = Source(account_id=account.id, name="Prices", kind="text", content="One costs 99 yuan.", passages=1)
    answer = Answer(account_id=account.id, question="hi", way="trial", deadline_at=clock.now())
    session.add_all([source, answer, Assistant(account_id=account.id, url="practice", model="m")])
    campaigns = campaign_rows.campaigns_of(session, account, follower)
    session.commit()
    first = account.rules_version
    create.rule(account, "cost", "88")
    # One more waits to be published.
    rules_service.save(session, account, RuleDraft.model_validate(BODIES["create_rule"]), live=False)
    session.commit()
    return {
        "rule_id": rule.id,
        "number": first,
        "follower_id": follower.id,
        "message_id": message.id,
        "send_id": send.id,
        "task_id": task.id,
        "conversation_id": conversation.id,
        "takeover_id": takeover.id,
        "version_id": version.id,
        "operator_id": agent.id,
        "token_id": key.id,
        "tag_id": tag.id,
        "auto_tag_id": auto_tag.id,
        "segment_id": segment.id,
        "stage_id": stage.id,
        "field_id": field.id,
        "note_id": note.id,
        "label_id": label.id,
        "canned_id": canned.id,
        "source_id": source.id,
        "answer_id": answer.id,
        **campaigns,
        **moments_rows.reported(session),
    }


def address(known, slug: str, ids: dict[str, int]) -> str:
    """``ids`` may hold "<endpoint> <name>", a row that this endpoint alone is to use."""

    def number(found: re.Match[str]) -> str:
        return str(ids.get(f"{known.name} {found[1]}") or ids[found[1]])

    return re.sub(r"<int:(\w+)>", number, known.path).replace("<slug>", slug)


def body_of(known, ids: dict[str, int]):
    """What it takes, about the follower of ``ids`` where it needs one."""
    if known.body is None:
        return None
    body = {**BODIES.get(known.name, {})}
    field = known.body.model_fields.get("follower_id")
    return body | {"follower_id": ids["follower_id"]} if field is not None and field.is_required() else body


def test_an_endpoint_without_a_known_scope_cannot_be_made():
    with pytest.raises(ValueError, match="scope"):
        endpoint("GET", "/x", scope="everything", summary="x")
    with pytest.raises(TypeError, match="scope"):
        endpoint("GET", "/x", summary="x")


def test_a_path_without_a_scope_ends_the_start():
    app = APIFlask("x", docs_path=None, spec_path=None)
    app.add_url_rule("/api/v1/open", "api.open", lambda: "hello")

    with pytest.raises(RuntimeError, match="/api/v1/open declares no scope"):
        door.register(app)


def test_every_route_is_declared(app: Flask):
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{bp.name}.")}

    assert routes == {f"api.{known.name}" for known in ENDPOINTS} | door.OPEN


@pytest.mark.parametrize("known", ENDPOINTS, ids=lambda known: known.name)
def test_t20_scopes_and_one_record_for_each_change(known, rows, api_as, app, client):
    path, body = address(known, "mine", rows), body_of(known, rows)

    def changes() -> int:
        with reading() as session:
            return len(session.scalars(select(AuditRecord.id).where(AuditRecord.action.like("api.%"))).all())

    nobody = client.open(f"/api/v1{path}", method=known.method, json=body)
    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")

    wrong = api_as(None, *(scope for scope in SCOPES if scope not in ("all", known.scope)))(known.method, path, body)
    assert wrong.status_code == 403
    assert known.scope in wrong.json["error"]["message"]

    role = GIVING.get(known.name, Role.AGENT if known.name in TAKING_OVER else None)
    needed = {known.scope} | (access.PERMISSIONS[role] if role else set())
    api = api_as(None, *needed)
    if not known.only_reads and (known.is_of_account or known.body):
        refused = api(known.method, address(known, "gone", rows), {**(body or {}), "more": 1})
        assert refused.status_code >= 400
        assert changes() == 0
    right = api(known.method, path, body)
    assert right.status_code == LATE.get(known.name, known.status), right.json
    assert changes() == (0 if known.only_reads or known.name in LATE else 1)
    assert misfit_of(app, known, right) == ""
    assert misfit_of(app, known, nobody) == ""


def test_t21_another_accounts_ids_look_missing(rows, create, api_as):
    other = create.account("other")
    own = {"campaign_id": campaign_rows.draft(create.session, other).id}
    create.session.commit()
    missing_ids, huge_ids = dict.fromkeys(rows, 999_999), dict.fromkeys(rows, 10**30)
    theirs = api_as(other)
    for known in (each for each in ENDPOINTS if each.is_of_account):
        body = BODIES.get(known.name, {}) if known.body else None

        # The other account's address, with a token that is not for it.
        foreign = theirs(known.method, address(known, "mine", rows), body)
        missing = theirs(known.method, address(known, "gone", rows), body)
        assert (foreign.status_code, missing.status_code) == (404, 404), known.name
        assert foreign.data.replace(b"mine", b"gone") == missing.data, known.name

        # Its own address, with ids of the other account: in the path, the body and the query.
        groups = []
        if "<int:" in known.path:
            found = (address(known, "other", ids) for ids in (rows, missing_ids, huge_ids))
            groups.append([theirs(known.method, path, body) for path in found])
        path = address(known, "other", {**missing_ids, **own})
        for_whom = (rows["follower_id"], 999_999)
        if known.body and "follower_id" in known.body.model_fields:
            groups.append([theirs(known.method, path, {**(body or {}), "follower_id": each}) for each in for_whom])
        if known.query and "follower_id" in known.query.model_fields:
            groups.append([theirs.get(f"{path}?follower_id={each}") for each in for_whom])
        for answers in groups:
            assert {answer.status_code for answer in answers} == {404}, known.name
            assert len({answer.data for answer in answers}) == 1, known.name


def test_t24_unknown_fields_are_refused(rows, api):
    for known in (each for each in ENDPOINTS if each.body):
        body = {**BODIES.get(known.name, {}), "is_admin": True}
        answer = api(known.method, address(known, "mine", rows), body)
        assert (answer.status_code, answer.json["error"]["field"]) == (422, "is_admin"), known.name


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b'"x"', b"[" * 100_000, b'{"a": "\\u0000"}'])
def test_odd_bodies_are_refused(body, rows, api):
    for known in (each for each in ENDPOINTS if each.body):
        path = f"/api/v1{address(known, 'mine', rows)}"
        answer = api.client.open(path, method=known.method, data=body, headers=api.headers)
        assert answer.status_code in (400, 422), known.name
        assert set(answer.json["error"]) == {"code", "message", "field"}, known.name


def test_bodies_over_a_megabyte_are_refused(rows, api):
    answer = api.post("/accounts/mine/rules", {"title": "x" * (1 << 20)})

    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("query", ["limit=201", "limit=0", "limit=x", "before=0", "unknown=1", "before=" + "9" * 30])
def test_pages_are_capped_and_queries_checked(query, rows, api):
    answer = api.get(f"/accounts/mine/followers?{query}")

    assert answer.status_code == 422
    assert answer.json["error"]["field"] == query.partition("=")[0]


def test_unknown_addresses_and_methods_answer_in_the_apis_words(api):
    assert api.get("/accounts/mine/poems").json["error"]["code"] == "not_found"
    refused = api.delete("/accounts")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, POST"


def test_t22_a_revoked_token_opens_nothing(rows, api):
    with transaction() as session:
        api_tokens.revoke(session, session.scalars(select(ApiToken).where(ApiToken.name == "test")).one().id)

    assert api.get("/accounts").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer lby_" + "a" * 43, "Bearer é"])
def test_odd_tokens_are_refused(header, client):
    answer = client.get("/api/v1/accounts", headers={"Authorization": header.encode("utf-8").decode("latin-1")})

    assert answer.status_code == 401


def test_a_token_is_kept_as_a_hash_only(database_url, token):
    plain = token(None, "rules:read")

    with reading() as session:
        row = session.scalars(select(ApiToken)).one()
    assert plain.startswith("lby_")
    assert plain not in json.dumps([row.digest, row.name, row.scopes])
    assert (len(row.digest), row.scopes) == (64, ["rules:read"])


def test_each_change_is_recorded_with_its_token(rows, api):
    api.patch(f"/accounts/mine/rules/{rows['rule_id']}", {"is_enabled": False})
    api.get("/accounts/mine/rules")

    with reading() as session:
        record = session.scalars(select(AuditRecord).where(AuditRecord.action.like("api.%"))).one()
    assert record.action == "api.rules.change_rule"
    assert record.detail.startswith("token ")
    assert (record.before, record.after) == ({"is_enabled": True}, {"is_enabled": False})
