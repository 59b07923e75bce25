"""What our answers look like to WeChat, and how long texts are cut."""

from xml.etree import ElementTree

import pytest
import xmltodict
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wechatpy import replies as reference

from bot.wechat import limits
from bot.wechat.messages import (
    Article,
    Image,
    Message,
    Music,
    News,
    ReplyAdapter,
    Silence,
    Text,
    TransferToAi,
    TransferToService,
    Video,
    Voice,
)
from bot.wechat.replies import as_customer_message, render, split_text

QUESTION = Message(openid="oFollower", kind="text", to="gh_sim")
TAP = Message(openid="oFollower", kind="event", event="click", to="gh_sim")
WHO = {"source": "gh_sim", "target": "oFollower", "time": 1714112445}


def rendered(reply, message=QUESTION) -> dict:
    return xmltodict.parse(render(message, reply, 1714112445.9))["xml"]


def article(number: int) -> Article:
    return Article(title=f"T{number}", description="D", picture_url="http://x.cn/p", url=f"http://x.cn/{number}")


def news(count: int) -> News:
    return News(articles=tuple(article(number) for number in range(count)))


VIDEO = Video(media_id="m", title="T & <b>", description="D")
MUSIC = Music(title="T", description="D", url="http://x.cn/m", hq_url="http://x.cn/h", thumb_media_id="t")
WECHATPY_ARTICLE = {"title": "T0", "description": "D", "image": "http://x.cn/p", "url": "http://x.cn/0"}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Text(text="你好 <a href='x'>&amp;</a>"), reference.TextReply(content="你好 <a href='x'>&amp;</a>", **WHO)),
        (Image(media_id="m"), reference.ImageReply(media_id="m", **WHO)),
        (Voice(media_id="m"), reference.VoiceReply(media_id="m", **WHO)),
        (VIDEO, reference.VideoReply(media_id="m", title="T & <b>", description="D", **WHO)),
        (
            MUSIC,
            reference.MusicReply(
                thumb_media_id="t",
                title="T",
                description="D",
                music_url="http://x.cn/m",
                hq_music_url="http://x.cn/h",
                **WHO,
            ),
        ),
        (news(1), reference.ArticlesReply(articles=[WECHATPY_ARTICLE], **WHO)),
        (TransferToService(), reference.TransferCustomerServiceReply(**WHO)),
    ],
)
def test_writes_what_wechatpy_writes(reply, expected):
    assert rendered(reply) == xmltodict.parse(expected.render())["xml"]


def test_swaps_the_addresses_and_takes_whole_seconds():
    fields = rendered(Text(text="hi"))
    assert (fields["ToUserName"], fields["FromUserName"], fields["CreateTime"]) == ("oFollower", "gh_sim", "1714112445")


def test_leaves_no_space_where_wechat_would_stumble():
    for reply in (Text(text="hi"), TransferToService(), TransferToAi()):
        assert "> <" not in render(QUESTION, reply, 0)


def test_hands_over_to_a_named_agent():
    fields = rendered(TransferToService(kf_account="test1@test"))
    assert (fields["MsgType"], fields["TransInfo"]) == ("transfer_customer_service", {"KfAccount": "test1@test"})


def test_hands_over_to_wechats_ai():
    assert rendered(TransferToAi())["MsgType"] == "transfer_biz_ai_ivr"


@pytest.mark.parametrize("reply", [None, Silence(), Text(text="\x02"), Text(text=" \n")])
def test_says_nothing_rather_than_an_empty_text(reply):
    assert render(QUESTION, reply, 0) == ""


@pytest.mark.parametrize(("message", "shown"), [(QUESTION, 1), (TAP, 8)])
def test_shows_as_many_articles_as_wechat_does(message, shown):
    fields = rendered(news(8), message)
    assert fields["ArticleCount"] == str(shown)
    items = fields["Articles"]["item"]
    assert [items["Title"]] if shown == 1 else len(items) == shown


@pytest.mark.parametrize("text", ["a]]>b", "]]>", "]]>]]>", "]]]]>>", "<![CDATA[x]]>"])
def test_a_text_cannot_end_its_section(text):
    assert rendered(Text(text=text))["Content"] == text
    assert rendered(Image(media_id=text))["Image"]["MediaId"] == text


def test_drops_characters_that_would_break_wechats_parser():
    assert rendered(Text(text="a\x02b\x00c\ufffed\te"))["Content"] == "abcd\te"


@settings(deadline=None)
@given(st.text(min_size=1, max_size=600))
def test_whatever_we_answer_is_readable_xml(text):
    body = render(QUESTION, Text(text=text), 0)
    if body:
        ElementTree.fromstring(body.encode())


def test_a_text_that_is_too_long_keeps_its_first_part():
    content = rendered(Text(text="好" * 1000))["Content"]
    assert content == "好" * (limits.TEXT_BYTES // 3)


def test_a_long_text_does_not_begin_with_an_empty_part():
    assert rendered(Text(text="\n" * 3000 + "hi"))["Content"] == "hi"


# -- Customer-service messages


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Text(text="你好\x02"), {"msgtype": "text", "text": {"content": "你好"}}),
        (Image(media_id="m"), {"msgtype": "image", "image": {"media_id": "m"}}),
        (Voice(media_id="m"), {"msgtype": "voice", "voice": {"media_id": "m"}}),
        (Video(media_id="m"), {"msgtype": "video", "video": {"media_id": "m"}}),
        (
            MUSIC,
            {
                "msgtype": "music",
                "music": {
                    "title": "T",
                    "description": "D",
                    "musicurl": "http://x.cn/m",
                    "hqmusicurl": "http://x.cn/h",
                    "thumb_media_id": "t",
                },
            },
        ),
        (
            news(3),
            {
                "msgtype": "news",
                "news": {
                    "articles": [{"title": "T0", "description": "D", "url": "http://x.cn/0", "picurl": "http://x.cn/p"}]
                },
            },
        ),
        (TransferToService(), None),
        (TransferToAi(), None),
        (Silence(), None),
        (Text(text="\x02 "), None),
    ],
)
def test_words_a_reply_for_customer_service(reply, expected):
    assert as_customer_message(reply) == expected


def test_every_reply_can_be_written():
    kinds = set(ReplyAdapter.json_schema()["discriminator"]["mapping"])
    tried = [Text(text="x"), Image(media_id="m"), Voice(media_id="m"), VIDEO, MUSIC, news(1)]
    tried += [TransferToService(), TransferToAi(), Silence()]
    assert {reply.kind for reply in tried} == kinds
    for reply in tried:
        render(QUESTION, reply, 0)
        as_customer_message(reply)


# -- Long texts


def size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


FAMILY = "👩‍👩‍👧‍👦"
PIECES = st.sampled_from(
    [
        "a",
        "好",
        "。",
        "\n",
        " ",
        FAMILY,
        "🇨🇳",
        "👍🏽",
        "e\u0301",
        "❤️",
        "1️⃣",
        "\ud800",
        "\x02",
        "<a href='x'>y</a>",
        "<a ",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=300).map("".join) | st.text(max_size=300), st.integers(4, 200))
@example("", 4)
@example("好" * 683, 2048)
@example("a\u0301" * 50, 4)
@example("\r\n" * 50, 5)
def test_nothing_is_lost_and_no_part_is_too_long(text, limit):
    parts = split_text(text, limit)
    assert "".join(parts) == text
    assert all(0 < size(part) <= limit for part in parts)


@pytest.mark.parametrize("limit", [30, 31, 47, 64])
@pytest.mark.parametrize("whole", [FAMILY, "🇨🇳", "👍🏽", "e\u0301", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "<a href='u'>好</a>"])
def test_composed_characters_and_links_stay_whole(whole, limit):
    parts = split_text("x" + whole * 100, limit)
    assert len(parts) > 1
    for part in parts:
        assert part.removeprefix("x").replace(whole, "") == ""


def test_a_link_longer_than_a_part_is_cut():
    parts = split_text("<a href='" + "u" * 100 + "'>x</a>", 40)
    assert all(size(part) <= 40 for part in parts)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("一" * 8 + "\n" + "二" * 8, "一" * 8 + "\n"),
        ("一" * 8 + "。" + "二" * 8, "一" * 8 + "。"),
        ("one two three four five six seven", "one two three four five six "),
        ("一" * 7 + "。”" + "二" * 8, "一" * 7 + "。”"),
        ("短\n" + "二" * 20, "短\n" + "二" * 8),  # too early a pause would waste messages
    ],
)
def test_prefers_to_cut_where_a_reader_pauses(text, first):
    assert split_text(text, 30)[0] == first


def test_a_short_text_stays_one_part():
    assert split_text("好" * 682) == ["好" * 682]
    assert split_text("") == []


def test_refuses_a_limit_below_one_character():
    with pytest.raises(ValueError, match="4 bytes"):
        split_text("x", 3)


@pytest.mark.parametrize("piece", ["<a ", "<a href='x'>", FAMILY, "🇨", "\u0301", "x\n"])
def test_hostile_texts_take_no_time(piece):
    text = piece * (20_000 // len(piece))
    assert "".join(split_text(text)) == text
