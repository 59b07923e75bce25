"""What the assistant knows: cut, found and ranked alike on both databases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Conflict, Refused
from bot.services import bigrams, knowledge
from models import Account, Passage, SourceKind
from tests.factories import Create

HOURS = """# 到店须知
请勿携带食物。
## 营业时间
每天上午九点开门。
```
# 不是标题
```
## Parking
Level B2, three hours free.
"""


@pytest.fixture
def account(create: Create) -> Account:
    return create.account()


def titles(create: Create, account: Account, question: str) -> list[str]:
    return [found.title for found in knowledge.search(create.session, account.id, question)]


@pytest.mark.databases
def test_finds_by_two_characters_by_words_and_in_either_script(create: Create, account: Account) -> None:
    knowledge.save(create.session, account, "须知", SourceKind.MARKDOWN, HOURS)
    create.session.commit()
    assert titles(create, account, "开门")[0] == "到店须知 › 营业时间"
    assert titles(create, account, "請問幾點開門？")[0] == "到店须知 › 营业时间"
    assert titles(create, account, "Where is PARKING") == ["到店须知 › Parking"]
    assert titles(create, account, "退款") == []
    assert titles(create, account, "你们的") == []
    assert titles(create, account, "！？") == []


@pytest.mark.databases
def test_another_accounts_knowledge_is_never_found(create: Create, account: Account) -> None:
    other = create.account("other")
    knowledge.save(create.session, other, "须知", SourceKind.TEXT, "暗号是芝麻开门。")
    create.session.commit()
    assert titles(create, account, "芝麻开门") == []
    assert len(titles(create, other, "芝麻开门")) == 1


@pytest.mark.databases
def test_what_was_changed_or_deleted_is_not_found(create: Create, account: Account) -> None:
    source = knowledge.save(create.session, account, "价目", SourceKind.CSV, "问题,答案\n多少钱一位,九十九元\n")
    create.session.commit()
    assert titles(create, account, "多少钱一位") == ["多少钱一位"]
    knowledge.save(create.session, account, "价目", SourceKind.CSV, "儿童票,免费", source)
    create.session.commit()
    assert (titles(create, account, "钱一位"), titles(create, account, "儿童票")) == ([], ["儿童票"])
    knowledge.remove(create.session, source)
    create.session.commit()
    assert titles(create, account, "儿童票") == []
    assert create.session.query(Passage).count() == 0


@pytest.mark.databases
def test_the_passage_with_the_rarer_words_comes_first(create: Create, account: Account) -> None:
    rows = [f"门票问题{number},门票可以在门口买" for number in range(30)]
    knowledge.save(create.session, account, "问答", SourceKind.CSV, "\n".join([*rows, "导盲犬门票,导盲犬不用门票"]))
    create.session.commit()
    assert titles(create, account, "导盲犬要买门票吗")[0] == "导盲犬门票"


@pytest.mark.parametrize(
    ("kind", "content", "field"),
    [
        (SourceKind.TEXT, "  \n ", "content"),
        (SourceKind.TEXT, "长" * 200_001, "content"),
        (SourceKind.CSV, "只有一列", "content"),
        (SourceKind.CSV, '问,"没有关上', "content"),
        (SourceKind.CSV, "问," + "长" * 4001, "content"),
        (SourceKind.MARKDOWN, "# 只有标题", "content"),
    ],
)
def test_what_cannot_be_known_is_refused(
    create: Create, account: Account, kind: SourceKind, content: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        knowledge.save(create.session, account, "须知", kind, content)
    assert refused.value.field == field


def test_two_sources_have_two_names(create: Create, account: Account) -> None:
    knowledge.save(create.session, account, "须知", SourceKind.TEXT, "一")
    with pytest.raises(Conflict):
        knowledge.save(create.session, account, " 须知 ", SourceKind.TEXT, "二")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0", b"\0" * 10, b"a" * 600_001])
def test_a_file_that_is_no_text_or_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        knowledge.read_upload(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_as_spreadsheets_write_it(encoding: str) -> None:
    assert knowledge.read_upload("问题,答案".encode(encoding)) == "问题,答案"


@given(st.text(max_size=200))
def test_every_piece_of_a_text_finds_it(text: str) -> None:
    kept = set(bigrams.document(text).split(" "))
    assert set(bigrams.asked(text)) <= kept
    assert all(not set(term) & set("\"' :*^()&|!<>\\") for term in bigrams.terms(text))
