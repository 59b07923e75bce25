"""A search finds what stands in a text, newest first, on both databases; each text is read once, whoever reads."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot import clock, database
from bot.errors import Refused
from bot.jobs import message_search as job
from bot.jobs import upkeep
from bot.services import bigrams, conversations, message_search
from bot.services.message_search import THE_ROW, Side
from models import Account, Follower, InboundMessage, MessageReading, MessageTerms, Send, term_index
from tests.factories import Create


@pytest.fixture
def account(create: Create) -> Account:
    return create.account()


def says(create: Create, follower: Follower, text: str, ago: int = 0, **values) -> InboundMessage:
    given = {"kind": "text", "received_at": clock.now() - timedelta(minutes=ago), "dedup_key": str(next(_numbers))}
    row = InboundMessage(
        account_id=follower.account_id,
        openid=follower.openid,
        follower_id=follower.id,
        text=text,
        **{**given, **values},
    )
    create.session.add(row)
    create.session.commit()
    return row


def answers(create: Create, follower: Follower, text: str, ago: int = 0, **values) -> Send:
    at = clock.now() - timedelta(minutes=ago)
    reply = {"kind": "text", "text": text}
    row = Send(account_id=follower.account_id, follower_id=follower.id, reply=reply, created_at=at, **values)
    create.session.add(row)
    create.session.commit()
    return row


_numbers = iter(range(10**9))


def found(create: Create, account: Account, search: str, **values) -> list[str]:
    create.session.commit()
    job.index(THE_ROW)
    return [each.text for each in message_search.find(create.session, account, search, **values)]


@pytest.mark.databases
def test_finds_two_characters_whole_words_and_either_script(create: Create, account: Account) -> None:
    follower = create.follower(account)
    says(create, follower, "请问怎么申请退款？", ago=5)
    says(create, follower, "Order A1234 has not arrived", ago=4)
    answers(create, follower, "已经为您退款。", ago=3)
    says(create, follower, "退了，款没到", ago=2)  # both characters, not together
    says(create, follower, "😀 ①", ago=1)

    assert found(create, account, "退款") == ["已经为您退款。", "请问怎么申请退款？"]
    assert found(create, account, "申請退款") == ["请问怎么申请退款？"]
    assert found(create, account, "a1234 ORDER") == ["Order A1234 has not arrived"]
    assert found(create, account, "a1234 退款") == []
    assert found(create, account, "退款", sides=[Side.FOLLOWER]) == ["请问怎么申请退款？"]
    assert found(create, account, "退款", sides=[Side.OPERATOR]) == ["已经为您退款。"]


@pytest.mark.databases
def test_only_texts_of_people_of_this_account_are_found(create: Create, account: Account) -> None:
    follower, stranger = create.follower(account), create.follower(create.account("other"))
    asked = says(create, follower, "芝麻开门", reply={"kind": "text", "text": "暗号收到"})
    answers(create, follower, "暗号收到", message_id=asked.id)  # the bot's, later
    says(create, follower, "芝麻开门", kind="event", event="click")
    says(create, stranger, "芝麻开门")
    answers(create, stranger, "芝麻开门")

    assert found(create, account, "芝麻开门") == ["芝麻开门"]
    assert found(create, account, "暗号") == []


@pytest.mark.databases
def test_pages_go_on_where_the_last_one_ended(create: Create, account: Account, monkeypatch) -> None:
    monkeypatch.setattr(term_index, "BLOCK", 4)  # many blocks, some without a hit
    monkeypatch.setattr(message_search, "ROWS", 3)
    follower = create.follower(account)
    chance = random.Random(3)
    texts = [f"第 {at} 次问包间{'' if chance.random() < 0.6 else '多少钱'}" for at in range(40)]
    for at, words in enumerate(texts):
        (says if at % 3 else answers)(create, follower, words, ago=40 - at)
    create.session.commit()
    job.index(THE_ROW)

    pages, before = [], None
    while page := message_search.find(create.session, account, "包间 多少钱", before=before, limit=5):
        pages.append([each.text for each in page])
        before = page[-1].id

    assert [text for page in pages for text in page] == [text for text in texts[::-1] if "多少钱" in text]
    assert {len(page) for page in pages[:-1]} == {5}


@pytest.mark.databases
def test_an_erased_follower_is_not_found(create: Create, account: Account) -> None:
    follower, other = create.follower(account), create.follower(account)
    for each in (follower, other):
        says(create, each, "包间还有吗")
        answers(create, each, "包间有的")
    assert len(found(create, account, "包间")) == 4

    create.session.execute(delete(Follower).where(Follower.id == follower.id))
    create.session.commit()

    assert {each.follower.id for each in message_search.find(create.session, account, "包间")} == {other.id}
    assert create.session.scalar(select(func.count()).select_from(MessageTerms)) == 2


def test_what_was_said_in_a_conversation_leads_to_it(create: Create, account: Account) -> None:
    follower = create.follower(account)
    says(create, follower, "包间多少钱", ago=60)
    first = conversations.take(create.session, account, follower)
    says(create, follower, "包间要大的")
    conversations.hand_back(create.session, account, first)
    create.session.commit()
    job.index(THE_ROW)

    places = {each.text: each.conversation_id for each in message_search.find(create.session, account, "包间")}

    assert places == {"包间多少钱": None, "包间要大的": first.id}


@pytest.mark.parametrize("search", ["", "  ", "！？", "退", "退 订单"])
def test_a_search_for_too_little_is_refused(create: Create, account: Account, search: str) -> None:
    with pytest.raises(Refused) as refused:
        message_search.find(create.session, account, search)
    assert refused.value.field == "search"


def test_marks_what_was_found(account: Account) -> None:
    def marked(text: str, search: str) -> list[str]:
        return [text[first:end] for first, end in bigrams.spans(text, message_search.words(search))]

    assert marked("我要申請退款，退款多久到？", "申请退款") == ["申請退款", "退款"]
    assert marked("Order ＡＢ12, reorder ab123", "ab12 order") == ["Order", "ＡＢ12"]
    assert marked("没有", "退款") == []


@pytest.mark.databases
@pytest.mark.parametrize("is_protected", [True, False])
def test_two_readers_keep_each_text_once(create: Create, account: Account, is_protected: bool) -> None:
    follower = create.follower(account)
    for at in range(5):
        says(create, follower, f"第 {at} 个包间")
    end = message_search.end(create.session)
    one, two = message_search.read(create.session, end), message_search.read(create.session, end)
    assert one
    assert two
    assert message_search.keep(create.session, one)
    create.session.commit()

    if not is_protected:  # the condition fits again, so the same texts are kept a second time
        create.session.execute(delete(MessageReading))
        two.rows[:] = [row | {"id": row["id"] + 100} for row in two.rows]
    assert message_search.keep(create.session, two) is not is_protected
    create.session.commit()

    assert len(message_search.find(create.session, account, "包间")) == (5 if is_protected else 10)


@pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers commit in the order of their rows
@pytest.mark.parametrize("waits", [True, False])
def test_a_text_that_is_committed_late_is_found(create: Create, account: Account, waits: bool, monkeypatch) -> None:
    monkeypatch.setattr(job, "OPEN_SECONDS", 0)
    if not waits:
        monkeypatch.setattr(message_search, "is_over", lambda *_: True)
    follower, other = create.follower(account), create.follower(account)
    with Session(database.database().write) as late:
        late.add(Send(account_id=account.id, follower_id=other.id, reply={"kind": "text", "text": "晚到的包间"}))
        late.flush()  # has its number, and is not there yet
        answers(create, follower, "早到的包间")
        job.index(THE_ROW)
        late.commit()
    job.index(THE_ROW)

    texts = {each.text for each in message_search.find(create.session, account, "包间")}
    assert texts == ({"晚到的包间", "早到的包间"} if waits else {"早到的包间"})


def test_the_clock_asks_for_what_is_new(create: Create, account: Account, work) -> None:
    says(create, create.follower(account), "包间还有吗")
    upkeep.hint_search()
    work()

    assert len(message_search.find(create.session, account, "包间")) == 1
    assert not message_search.is_behind(create.session)
    assert message_search.share_read(create.session) == 1


def test_a_slice_that_is_over_goes_on_in_the_next_job(create: Create, account: Account, work, monkeypatch) -> None:
    monkeypatch.setattr(job, "SLICE_SECONDS", -1)
    monkeypatch.setattr(message_search, "ROWS", 2)
    follower = create.follower(account)
    for at in range(5):
        says(create, follower, f"第 {at} 个包间")

    job.index(THE_ROW)
    assert len(message_search.find(create.session, account, "包间")) == 2
    create.session.commit()
    work()

    assert len(message_search.find(create.session, account, "包间")) == 5
