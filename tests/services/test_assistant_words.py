"""What a phone shows of a model's Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.services import moderation
from bot.services.assistant_words import MOST_CHARACTERS, plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("## 营业时间\n**每天** 9–21", "营业时间\n每天 9–21"),
        ("- 一\n* 二\n1. 三", "· 一\n· 二\n1. 三"),
        ("见[菜单](https://a.example/m)", "见菜单（https://a.example/m）"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("| 票 | 价 |\n|---|---|\n| 单人 | 99 |", "票 | 价\n单人 | 99"),
        ("```\ncode\n```\n`x`", "code\nx"),
        ("> 引用\n\n---\n\n\n完", "引用\n\n完"),
        ("<think>用户想知道…</think>九点", "九点"),
        ("<think>没有写完", ""),
        ("<a href='https://evil.example'>领奖</a>", "领奖"),
        ("snake_case 2*3*4", "snake_case 2*3*4"),
        ("。。。***", ""),
        ("\x00九\x1b点", "九点"),
    ],
)
def test_markup_becomes_plain_text(written: str, shown: str) -> None:
    assert plain(written) == shown


@given(st.text())
def test_any_text_is_taken_and_stays_short(text: str) -> None:
    shown = plain(text)
    assert len(shown) <= MOST_CHARACTERS
    assert shown == shown.strip()


@pytest.mark.parametrize("text", ["赌博", "賭 博", "赌-博", "ＧＡＭＢＬＥ now", "g.a.m.b.l.e"])
def test_a_word_is_found_however_it_is_written(text: str) -> None:
    assert moderation.found(["赌博", "gamble"], text)


@pytest.mark.parametrize("text", ["下赌注，博物馆", "gam ble-ish is fine?", "ad hoc", ""])
def test_other_words_are_not(text: str) -> None:
    found = moderation.found(["赌博", "dho"], text)
    assert not found
