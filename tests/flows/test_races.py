"""T09: the same push, or two of one second, at the same moment in several processes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from bot.database import reading, transaction
from models import Conversation, Follower, InboundMessage, ReplyMode, ReplyWindow, Send
from tests.flows.phone import Phone, Post, by_http
from tests.processes import web_processes
from tests.wechat.samples import sample

ROUNDS = 12


def rows(model, *where) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


@pytest.fixture
def account(create):
    account = create.account()
    many = [{"kind": "text", "text": f"No {number}"} for number in range(5)]
    create.rule(account, trigger="default", replies=many, reply_mode=ReplyMode.RANDOM)
    create.rule(account, "this is a test", replies=many[:2])
    return account


def race(ways, post: Post, documents: list[str]) -> list[list[str]]:
    """Each document at once to all processes; what each said to it."""
    with ThreadPoolExecutor(len(ways)) as pool:

        def one(document: str) -> list[str]:
            def deliver(way) -> str:
                status, body = way(*post.sealed(document))
                return post.opened(body) if status == 200 else f"status {status}"

            return list(pool.map(deliver, ways))

        return [one(document) for document in documents]


@pytest.mark.databases
def test_the_same_message_at_once_in_four_processes_is_one_row_and_one_reply(account, redis, database_url):
    post = Post(account)
    names = ("image", "text") * (ROUNDS // 2)
    documents = [sample(name, f"o{at:020d}", account.original_id, msgid=at + 1) for at, name in enumerate(names)]

    with web_processes(4) as webs:
        said = race([by_http(web.address) for web in webs for _ in range(3)], post, documents)

    assert [len(set(replies)) for replies in said] == [1] * ROUNDS, said
    assert all(reply and not reply.startswith("status") for [reply, *_] in said)
    assert rows(InboundMessage) == rows(Follower) == rows(ReplyWindow) == ROUNDS
    assert rows(Send) == ROUNDS // 2


@pytest.mark.databases
def test_the_race_above_shows_when_nothing_holds_the_second_one_back(account, redis, database_url, database_kind):
    """Negative control: without the ledger's unique key and the wait at the follower's row, it comes apart."""
    post = Post(account)
    with transaction() as session:
        if database_kind == "sqlite":  # the key is the table's own there, so each copy gets another one
            session.execute(
                text(
                    "CREATE TRIGGER fresh AFTER INSERT ON messages BEGIN"
                    " UPDATE messages SET dedup_key = dedup_key || '-' || id WHERE id = NEW.id; END"
                )
            )
        else:
            session.execute(text("ALTER TABLE messages DROP CONSTRAINT uq_messages_account_id_openid_dedup_key"))
            change = "BEGIN NEW.dedup_key := NEW.dedup_key || '-' || NEW.id; RETURN NEW; END"
            session.execute(
                text(f"CREATE FUNCTION fresh() RETURNS trigger LANGUAGE plpgsql AS '{change}'".replace("'-'", "''-''"))
            )
            session.execute(
                text("CREATE TRIGGER fresh BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fresh()")
            )
    documents = [sample("image", f"o{at:020d}", account.original_id, msgid=at + 1) for at in range(4)]

    with web_processes(2) as webs:
        said = race([by_http(web.address) for web in webs for _ in range(3)], post, documents)

    assert max(len(set(replies)) for replies in said) > 1
    assert rows(InboundMessage) > len(documents)


@pytest.mark.databases
def test_follow_and_scan_in_one_second_are_two_messages(account, create, redis, database_url):
    create.rule(account, trigger="follow", reply="Welcome!")
    create.rule(account, trigger="scan", keywords=[{"text": "123123"}], reply="You scanned.")
    post, openid = Post(account), "o" * 28
    pair = [sample(name, openid, account.original_id) for name in ("subscribe", "scan")]

    with web_processes(2) as webs, ThreadPoolExecutor(6) as pool:
        ways = [by_http(web.address) for web in webs for _ in range(3)]
        jobs = [
            pool.submit(lambda way, document: post.opened(way(*post.sealed(document))[1]), way, document)
            for way in ways
            for document in pair
        ]
        said = [job.result() for job in jobs]

    assert len(set(said)) == 2
    assert sum("Welcome!" in reply for reply in said) == sum("You scanned." in reply for reply in said) == 6
    assert (rows(InboundMessage), rows(Follower), rows(ReplyWindow)) == (2, 1, 2)


@pytest.mark.databases
def test_two_requests_for_a_person_at_once_open_one_conversation(account, redis, database_url):
    with web_processes(2) as webs, ThreadPoolExecutor(8) as pool:
        ways = [by_http(webs[at % 2].address) for at in range(8)]
        phones = [Phone(account, way, "o" * 28) for way in ways]
        said = list(pool.map(lambda phone: phone.say("人工"), phones))

    assert said.count(account.human_reply) == 1  # the other seven find a person in charge
    assert said.count("") == 7
    assert rows(Conversation) == 1
    assert rows(InboundMessage) == 8
