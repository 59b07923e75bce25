"""The callback's own route: who is let in, what is kept, and how little it says (T02, T03, T05, T07, T08, T10)."""

import random
import time
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bot.database import reading
from bot.simulator import envelope as wechat
from models import AuditRecord, Base, Follower, InboundMessage
from tests.flows.phone import Phone, Post, wait
from tests.wechat.samples import SAMPLES, sample

MODES = ("plain", "compatible", "safe")


def kept(*ignored: str) -> dict[str, int]:
    """Rows of each table that is not empty, beside the account itself."""
    ignored = ("accounts", "access_tokens", "rules", "rule_versions", *ignored)
    with reading() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
            if table.name not in ignored
        }
    return {name: count for name, count in counts.items() if count}


def first_audit() -> AuditRecord:
    with reading() as session:
        return session.scalars(select(AuditRecord)).one()


def is_plain_line(answer) -> bool:
    line = answer.data.decode()
    return (
        answer.mimetype == "text/plain"
        and answer.headers["X-Content-Type-Options"] == "nosniff"
        and "\n" not in line
        and 5 < len(line) < 100
        and "<" not in line
    )


def post(client, address: str, body: bytes | str):
    return client.post(address, data=body, content_type="text/xml")


# -- Who is let in


@pytest.mark.parametrize("mode", MODES)
def test_wechat_tries_the_address(live, sim, create, mode):
    account = create.account(mode=mode)
    sim.connect(account, live)

    told = sim.post("verify", account=account.slug)

    assert told["ok"], told


@pytest.mark.parametrize("echo", ["<script>alert(1)</script>", "a b", "", "x" * 200, "%3Cb%3E", "1\n2"])
def test_t07_never_echoes_what_wechat_would_not_send(client, create, echo):
    address, _ = Post(create.account()).sealed("")

    answer = client.get(f"{address}&{urlencode({'echostr': echo})}")

    assert answer.status_code == 400
    assert is_plain_line(answer)
    assert echo not in answer.data.decode() or not echo


def test_t07_echoes_a_number_as_plain_text(client, create):
    address, _ = Post(create.account()).sealed("")

    answer = client.get(f"{address}&echostr=5318232231462134341")

    assert (answer.status_code, answer.data) == (200, b"5318232231462134341")
    assert answer.mimetype == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["/wechat/nobody", "/wechat/", "/wechat/practice/x", "/wechat/%00", "/wechat/'--"])
def test_an_address_that_is_no_account_is_not_found(client, create, path, method):
    create.account()

    answer = getattr(client, method)(path)

    assert answer.status_code == 404
    assert kept() == {}


@pytest.mark.databases
@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_t03_another_body_under_a_valid_signature_is_refused(client, create, mode):
    account = create.account(mode=mode)
    create.rule(account, "yes", "Yes!")
    seal = Post(account).sealed
    mine, theirs = (sample("text", name * 28, account.original_id).replace("this is a test", "yes") for name in "ab")
    address, body = seal(mine)
    _, other_body = seal(theirs)
    base, _, query = address.partition("?")
    without = [
        f"{base}?" + "&".join(part for part in query.split("&") if not part.startswith(name))
        for name in ("msg_signature", "encrypt_type", "signature", "timestamp", "nonce")
    ]

    refused = [
        post(client, address, other_body),
        post(client, address, mine),
        *(post(client, each, body) for each in without),
    ]

    assert [answer.status_code for answer in refused] == [403] * 7
    assert all(is_plain_line(answer) for answer in refused)
    assert kept() == {}
    assert post(client, address, body).status_code == 200  # the whole is fine


def test_t03_only_the_encrypted_part_counts_in_compatible_mode(client, create, session):
    account = create.account(mode="compatible")
    create.rule(account, "inside", "From inside")
    create.rule(account, "outside", "From outside")
    maker = Post(account)
    address, body = maker.sealed(sample("text", "a" * 28, account.original_id).replace("this is a test", "inside"))
    swapped = body.replace(b"[inside]", b"[outside]").replace(b"a" * 28, b"b" * 28)
    assert swapped != body

    answer = post(client, address, swapped)

    assert "From inside" in maker.opened(answer.data)
    assert session.scalars(select(Follower)).one().openid == "a" * 28


@pytest.mark.databases
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace("a" * 28, "b" * 28), id="another follower"),
        pytest.param(lambda text: text.replace("24650000000000001", "24650000000000002"), id="another message"),
        pytest.param(lambda text: text.replace("msgid", "x"), id="the same, for comparison"),
    ],
)
def test_t02_plain_mode_takes_one_message_for_each_signature(client, create, session, change):
    """There a signature does not cover the body: who overheard one may repeat that message, and send no other."""
    account = create.account(mode="plain")
    create.rule(account, "this is a test", "Yes!")
    mine = sample("text", "a" * 28, account.original_id)
    address, body = Post(account).sealed(mine)
    assert post(client, address, body).status_code == 200

    answer = post(client, address, change(mine))

    assert answer.status_code == (200 if change(mine) == mine else 403)
    assert session.scalar(select(func.count(InboundMessage.id))) == 1
    assert session.scalar(select(func.count(Follower.id))) == 1


def test_t02_an_old_signature_is_refused(client, create):
    address, body = Post(account := create.account()).sealed(sample("text", to="gh_practice"))
    assert account.original_id == "gh_practice"
    wait(301)

    answer = post(client, address, body)

    assert answer.status_code == 403
    assert kept() == {}


@pytest.mark.databases
@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_t08_a_message_for_another_account_is_refused_and_recorded(client, create, mode):
    ours = create.account(mode=mode, token="shared")
    theirs = create.account("theirs", mode=mode, token="shared")  # the same token and key, as lazy owners choose
    create.rule(ours, trigger="default", reply="Hello")
    document = sample("text", to=theirs.original_id)
    own = Post(ours)
    foreign = Post(theirs)
    foreign.slug = ours.slug

    by_body = post(client, *own.sealed(document))
    by_appid = post(client, *foreign.sealed(sample("text", to=ours.original_id)))

    assert (by_body.status_code, by_appid.status_code) == (403, 403)
    assert by_body.data == by_appid.data  # nobody learns how far it came
    assert is_plain_line(by_body)
    assert kept() == {"audit_records": 2}
    with reading() as session:
        records = session.scalars(select(AuditRecord)).all()
    assert {record.account_id for record in records} == {ours.id}
    assert {record.action for record in records} == {"callback.refused"}
    assert "oFollower" not in str([record.detail for record in records])


def test_t08_in_plain_mode_too(client, create):
    ours, theirs = create.account(mode="plain"), create.account("theirs", mode="plain")

    answer = post(client, *Post(ours).sealed(sample("text", to=theirs.original_id)))

    assert answer.status_code == 403
    assert kept() == {"audit_records": 1}
    assert first_audit().account_id == ours.id


# -- Odd bodies


ODD = [
    "",
    "{}",
    "<xml/>",
    "<xml></xml>",
    "<html></html>",
    "<!DOCTYPE xml [<!ENTITY a 'b'>]><xml>&a;</xml>",
    sample("text").replace("[text]", "[]"),
    sample("text").replace("24650000000000001", "12x"),
    sample("text").replace("1714112445", "1e20"),
    sample("text").replace("1714112445", "99999999999999999999"),
    sample("text").replace("<MsgType>", "<MsgType>event</MsgType><MsgType>"),
    sample("text").replace("oFollower", "o'; --"),
    sample("click").replace("CLICK", ""),
    sample("text").replace("<Content>", "<Content><b/>"),
    "<xml>" + "<a>" * 1000 + "</a>" * 1000 + "</xml>",
    "<xml>" + "<a/>" * 1000 + "</xml>",
]


@pytest.mark.parametrize("mode", MODES)
def test_t05_what_is_no_message_is_refused_in_one_line(client, create, mode):
    account = create.account(mode=mode, original_id="gh_sim")
    for document in ODD:
        answer = post(client, *Post(account).sealed(document))

        assert answer.status_code in (400, 403), document
        assert is_plain_line(answer)
    assert set(kept("seen_signatures")) <= {"audit_records"}


@pytest.mark.parametrize("size", [64 * 1024 + 1, 7_000_000])
@pytest.mark.parametrize("signed", [True, False])
def test_t04_a_long_body_is_refused_by_its_length(client, create, size, signed):
    account = create.account(mode="plain")
    address, _ = Post(account).sealed("")
    seconds = []
    for _ in range(3):  # the first of a process also compiles our statements
        began = time.process_time()
        answer = post(client, address if signed else f"/wechat/{account.slug}", b"<xml>" + b"<a>" * (size // 3))
        seconds.append(time.process_time() - began)
        assert answer.status_code in (413, 403)
        assert is_plain_line(answer)

    assert min(seconds) < 0.25  # 50 ms where nothing else runs
    assert kept() == {}


@pytest.mark.parametrize("length", ["", "²", "-1", "x"])
def test_t05_a_length_that_is_no_number_is_no_error_of_ours(app, create, length):
    create.account()
    environ = EnvironBuilder(method="POST", path="/wechat/practice", data=b"<xml/>").get_environ()
    environ["CONTENT_LENGTH"] = length

    _, status, _ = run_wsgi_app(app.wsgi_app, environ)

    assert status == "403 FORBIDDEN"


def mutated(chance: random.Random, document: str) -> str | bytes:
    """A push with a few things wrong."""
    raw = bytearray(document.encode())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del raw[at : at + chance.randrange(1, 40)]
            case 2:
                raw[at:at] = chance.choice(
                    [
                        b"<MsgType>x</MsgType>",
                        b"]]>",
                        b"\x00",
                        b"\xff\xfe",
                        b"&#0;",
                        b"&a;",
                        b"<a>" * 20,
                        b"\x02",
                        b"9" * 40,
                    ]
                )
            case 3:
                end = chance.randrange(len(raw) + 1)
                raw[at:at] = raw[min(at, end) : max(at, end)]
            case 4:
                raw = raw[:at]
            case 5:
                raw = bytearray(chance.choice([b"", b"<xml>", b"\xef\xbb\xbf"])) + raw
    return bytes(raw)


@pytest.mark.databases
@pytest.mark.timeout(600)
@pytest.mark.parametrize("bodies", [250, pytest.param(5000, marks=pytest.mark.campaign)])
def test_t05_fuzzed_bodies_never_make_it_fail(client, create, caplog, bodies, session):
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    chance = random.Random(seed)
    statuses: dict[int, int] = {}
    accounts = [create.account(mode, mode=mode, original_id=f"gh_{mode}") for mode in MODES]
    for account in accounts:
        create.rule(account, trigger="default", reply="Hello {{nickname|you}}")
    makers = [Post(account) for account in accounts]
    for number in range(bodies):
        maker = makers[number % 3]
        name = chance.choice(list(SAMPLES))
        body = mutated(chance, sample(name, f"o{number:020d}", maker.original_id, msgid=number + 1))
        address, sealed = maker.sealed("")
        if maker.credentials.mode == "plain":
            sealed = body
        else:
            known = maker.credentials
            encrypted = wechat.encrypt(known.encoding_aes_key, known.appid, bytes(body))
            timestamp, nonce = (part.partition("=")[2] for part in address.partition("?")[2].split("&")[:2])
            signature = wechat.sign(known.token, timestamp, nonce, encrypted)
            address = address.rpartition("=")[0] + "=" + signature
            sealed = wechat.to_xml({"ToUserName": maker.original_id, "Encrypt": encrypted}).encode()
            if chance.random() < 0.2:
                sealed = bytes(mutated(chance, sealed.decode()))
        try:
            answer = post(client, address, sealed)
        except Exception as error:
            raise AssertionError(f"seed {seed}, body {number}: {sealed!r}") from error
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        assert answer.status_code in (200, 400, 403, 413), (seed, number, sealed)
        assert answer.status_code == 200 or is_plain_line(answer)
    print(statuses)
    assert statuses[200]
    assert statuses.keys() > {200}
    assert session.scalar(select(func.count(InboundMessage.id))) == statuses[200]
    assert session.scalar(select(func.count()).where(InboundMessage.flag == "failed")) == 0
    assert "Traceback" not in caplog.text


@pytest.mark.databases
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param("view", "https://example.org/?a=1&b=2", "https://example.org/?" + "x" * 1500, id="a long address"),
        pytest.param("click", "V1001", "键" * 400, id="a long key"),
        pytest.param("scan", "123123", "\x02\x1f" * 50, id="control characters"),
        pytest.param("text", "this is a test", "中" * 4000, id="4,000 Chinese characters"),
        pytest.param("text", "this is a test", "a\x02\x00b", id="0x02 and NUL"),
        pytest.param("text", "this is a test", "]]]]><![CDATA[>&lt;\u2028😀", id="the end mark"),
        pytest.param("template_sent", "200163836", "9" * 400, id="a long job number"),
    ],
)
def test_long_and_odd_values_are_kept_like_others(client, create, session, name, old, new):
    account = create.account()
    create.rule(account, trigger="default", reply="Hello")
    maker, document = Post(account), sample(name, "o" * 28, to=account.original_id)
    assert old in document

    answers = [post(client, *maker.sealed(document.replace(old, new))) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    row = session.scalars(select(InboundMessage)).one()
    assert row.flag == ""
    assert row.event or row.text


@pytest.mark.databases
def test_two_long_keys_that_begin_alike_are_two_messages(client, create, session):
    account = create.account()
    phone = Phone(account, client)
    for end in "ab":
        phone.happen("VIEW", "https://example.org/?" + "x" * 600 + end, CreateTime=1714112445)

    assert session.scalar(select(func.count(InboundMessage.id))) == 2


def test_a_message_of_no_known_kind_is_kept_and_answered_with_silence(client, create, session):
    account = create.account()
    create.rule(account, trigger="default", reply="Hello")
    phone = Phone(account, client)

    assert phone.send("hologram", Shape="round") == ""
    assert phone.happen("brand_new_event") == ""

    kinds = session.execute(select(InboundMessage.kind, InboundMessage.event).order_by(InboundMessage.id)).all()
    assert kinds == [("hologram", ""), ("event", "brand_new_event")]
    assert session.scalars(select(InboundMessage)).first().fields["Shape"] == "round"
