"""A large inbox: a year of conversations, and what was said in them, ready to be searched."""

import itertools
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.orm import Session

from benchmarks import seed
from benchmarks.webhook import APPID, ORIGINAL, TOKEN
from bot import clock
from bot.services import access, accounts, bigrams, message_search, operators
from models import (
    Account,
    Agent,
    Base,
    Conversation,
    ConversationLabel,
    Follower,
    Label,
    MessageReading,
    Operator,
    Role,
    term_index,
)

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFA"
OPEN, DAYS, LABELS = 2_000, 365, 8
EVERY_SENT = 10  # each tenth text is a person's
DISTINCT = 200_000  # texts; the next ones are said again
PIECE = 500_000  # rows of one transaction
CHARACTERS = "".join(chr(0x4E00 + 37 * n) for n in range(500))
_dice = random.Random(5)
VOCABULARY = ["".join(_dice.choices(CHARACTERS, k=_dice.choice((2, 2, 2, 3)))) for _ in range(6000)]
WEIGHTS = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(VOCABULARY))))  # as words are: few are common
COMMON, MIDDLE, RARE = VOCABULARY[:5], VOCABULARY[200:240], VOCABULARY[4000:4040]


def fill(engine: Engine, conversations: int, messages: int, agents: int, unread: int) -> list[str]:
    """Write it into an empty database; returns each agent's cookie.  The account is "bench", and the first.

    All texts can be found but the last ``unread`` of followers, which are left to the job.
    """
    Base.metadata.create_all(engine)
    followers = max(2 * OPEN, conversations // 3)
    with Session(engine) as session:
        values = {"appid": APPID, "original_id": ORIGINAL, "token": TOKEN, "aes_key": AES_KEY, "mode": "safe"}
        account = accounts.create(session, "bench", title="云上茶舍", **values)
        people = [operators.create(session, f"客服{n}", "") for n in range(agents)]
        for each in people:
            access.give(session, each, Role.AGENT, account)
            session.add(Agent(account_id=account.id, operator_id=each.id))
        cookies = [operators.sign_in(session, each, "Benchmark") for each in people]
        session.add_all(Label(account_id=account.id, name=f"标签 {n}") for n in range(LABELS))
        session.flush()
        seed._write(session, Follower, _followers(account, followers))
        seed._write(session, Conversation, _conversations(account, conversations, followers, people))
        labelled = ({"conversation_id": n, "label_id": n % LABELS + 1} for n in range(1, conversations + 1, 3))
        seed._write(session, ConversationLabel, labelled)
        session.commit()
    with engine.connect() as connection:
        _say(connection, messages, followers, unread)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in ("followers", "conversations", "messages", "sends"):  # their ids were given here
                connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")
    return cookies


# Texts are put together by the database: nine of followers, one of a person, and so on, evenly over the year.
SPELT = {
    "sqlite": {
        "setting": "PRAGMA cache_size = -3000000",
        "series": "WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last})",
        "openid": "printf('o%027d', n * 7919 % {followers} + 1)",
        "at": "strftime('%Y-%m-%d %H:%M:%f', {start} + n * {step}, 'unixepoch') || '000'",
        "json": "",
        "block": "",
        "unindexed": "DROP TRIGGER message_terms_added",
        "indexed": "message_terms_added",
    },
    "postgresql": {
        "setting": "SET session_replication_role = replica",  # no foreign keys
        "series": "WITH n(n) AS (SELECT generate_series(CAST({first} AS bigint), {last}))",
        "openid": "'o' || lpad(CAST(n * 7919 % {followers} + 1 AS text), 27, '0')",
        "at": "to_timestamp({start} + n * {step})",
        "json": "::json",
        "block": "{id} / 32768 || 'x' || ",
        "unindexed": "DROP INDEX ix_message_terms_terms",
        "indexed": "ix_message_terms_terms",
    },
}
MESSAGES = """INSERT INTO messages (id, account_id, openid, dedup_key, follower_id, kind, event, key, text, fields,
    received_at, trace, flag)
{series} SELECT n, 1, {openid}, CAST(n AS text), n * 7919 % {followers} + 1, 'text', '', '',
    CASE WHEN n % 20 = 0 THEN said.text || '，订单 A' || n ELSE said.text END, '{{}}'{json}, {at}, '[]'{json}, ''
FROM n JOIN bench_texts AS said ON said.id = n * 7 % {distinct}"""
SENDS = """INSERT INTO sends (id, account_id, follower_id, reply, status, fence, due_at, "window", error, created_at)
{series} SELECT n, 1, n * 7919 % {followers} + 1, ('{{"kind": "text", "text": "' || said.text || '"}}'){json},
    'sent', 1, {at}, '', '', {at}
FROM n JOIN bench_texts AS said ON said.id = n * 11 % {distinct}"""
MESSAGE_TERMS = """INSERT INTO message_terms (id, account_id, follower_id, message_id, send_id, terms)
{series} SELECT {id}, 1, n * 7919 % {followers} + 1, {message}, {send},
    {block}'1{side}' || replace(
        CASE WHEN n % 20 = 0 AND '{side}' = 'i' THEN said.terms || ' a' || n ELSE said.terms END,
        ' ', ' ' || {block}'1{side}')
FROM n JOIN bench_texts AS said ON said.id = n * {prime} % {distinct}"""


def _say(connection: Connection, messages: int, followers: int, unread: int) -> None:
    spelt, began = SPELT[connection.dialect.name], time.monotonic()
    sent = messages // EVERY_SENT
    received = sent * (EVERY_SENT - 1)
    made = [
        {"id": n, "text": said, "terms": " ".join(dict.fromkeys(bigrams.terms(said)))}
        for n, said in enumerate(_texts())
    ]
    connection.execute(text("CREATE TABLE bench_texts (id INTEGER PRIMARY KEY, text TEXT, terms TEXT)"))
    connection.execute(text("INSERT INTO bench_texts VALUES (:id, :text, :terms)"), made)
    connection.exec_driver_sql(spelt["unindexed"])

    def write(statement: str, count: int, **more: str) -> None:
        year = DAYS * 86_400
        values = {
            "followers": followers,
            "distinct": DISTINCT,
            "start": clock.now().timestamp() - year,
            "json": spelt["json"],
        }
        values |= {"step": year / count, **more}
        for first in range(1, count + 1, PIECE):
            values |= {"first": first, "last": min(count, first + PIECE - 1)}
            parts = {name: spelt[name].format(**values) for name in ("series", "openid", "at")}
            if connection.in_transaction():
                connection.commit()
            connection.exec_driver_sql(spelt["setting"])
            connection.exec_driver_sql(
                statement.format(**values, **parts).replace(
                    "%", "%%" if connection.dialect.name == "postgresql" else "%"
                )
            )
            connection.commit()
        print(f"{statement.split()[2]}: {count:,}, {time.monotonic() - began:.0f} s", flush=True)

    write(MESSAGES, received)
    write(SENDS, sent)
    for side, count, number, prime, message, send in (
        ("i", received - unread, f"(n + (n - 1) / {EVERY_SENT - 1})", "7", "n", "NULL"),
        ("o", sent, f"(n * {EVERY_SENT})", "11", "NULL", "n"),
    ):
        block = spelt["block"].format(id=number)
        write(MESSAGE_TERMS, count, id=number, message=message, send=send, side=side, prime=prime, block=block)
    state = {"message_id": received - unread, "send_id": sent, "last_id": sent * EVERY_SENT}
    connection.execute(insert(MessageReading).values(id=message_search.THE_ROW, **state))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO message_terms_index(message_terms_index) VALUES ('rebuild')")
    else:
        connection.exec_driver_sql("SET maintenance_work_mem = '2GB'")
    for line in term_index.statements("message_terms", connection.dialect.name, is_large=True):
        if spelt["indexed"] in line:
            connection.exec_driver_sql(line)
    connection.commit()
    print(f"their index: {time.monotonic() - began:.0f} s", flush=True)


def _texts() -> Iterator[str]:
    return (words(n) for n in range(DISTINCT))


def openid(n: int) -> str:
    return f"o{n:027d}"


def words(n: int) -> str:
    dice = random.Random(n)
    return "".join(dice.choices(VOCABULARY, cum_weights=WEIGHTS, k=dice.randint(2, 7)))


def _at(place: float) -> Any:
    """0 is a year ago, 1 is now."""
    return clock.now() - timedelta(days=DAYS * (1 - place))


def _followers(account: Account, count: int) -> Iterator[dict[str, Any]]:
    now = clock.now()
    for n in range(1, count + 1):
        silent = now + timedelta(days=30) if n <= OPEN else None
        yield {
            "id": n,
            "account_id": account.id,
            "openid": openid(n),
            "remark": f"茶友 {n}",
            "seen_at": now,
            "silent_until": silent,
        }


def _conversations(account: Account, count: int, followers: int, people: list[Operator]) -> Iterator[dict[str, Any]]:
    """The last OPEN are open, each of a follower of their own; the others were."""
    dice = random.Random(2)
    for n in range(1, count + 1):
        left = count - n
        is_open = left < OPEN
        opened = _at((n - 1) / count)
        replied = opened + timedelta(seconds=dice.expovariate(1 / 240)) if dice.random() < 0.9 and not is_open else None
        yield {
            "id": n,
            "account_id": account.id,
            "follower_id": left + 1 if is_open else OPEN + 1 + n % (followers - OPEN),
            "assignee_id": people[n % len(people)].id if n % 4 else None,
            "opened_at": opened,
            "updated_at": opened,
            "waiting_since": opened if is_open and n % 3 == 0 else None,
            "first_replied_at": replied,
            "closed_at": None if is_open else opened + timedelta(seconds=dice.expovariate(1 / 3600) + 300),
            "closed_why": "" if is_open else "handed_back",
            "preview": words(n)[:40],
            "preview_side": "follower",
        }
