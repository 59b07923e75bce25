import pytest

from bot.services.folding import fold, fold_pattern


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("PRICE", "price"),
        ("ＰＲＩＣＥ　", "price"),
        ("價格", "价格"),
        ("營業時間", "营业时间"),
        ("後天", "后天"),
        (" a\n", "a"),
        ("a  b", "a  b"),
        ("①", "1"),
        ("ﾊﾟ", "パ"),
        ("：", ":"),
        ("Straße", "strasse"),
        ("😀", "😀"),
        ("", ""),
        ("\u3000", ""),
    ],
)
def test_texts_that_read_the_same_become_one(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("pattern", "folded"),
    [
        ("價格+", "价格+"),
        (r"\d{4}（", r"\d{4}\("),
        ("[ａ-ｚ]", "[a-z]"),
        ("．", r"\."),
        ("A|B", "A|B"),
        ("a\u3000b", r"a\ b"),
        (r"\x{4e00}", r"\x{4e00}"),
    ],
)
def test_a_pattern_keeps_its_syntax(pattern, folded):
    assert fold_pattern(pattern) == folded
