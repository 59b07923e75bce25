"""What WeChat's console says and what its copy here says are the same, for any configuration."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import takeover
from bot.services.matching import CompiledRule, RuleBook
from bot.services.takeover import convert
from models import ReplyMode, Trigger

ALPHABET = "abc茶水"  # letters that fold to themselves only: what folding adds is said in words
words = st.text(ALPHABET, min_size=1, max_size=4)
texts = words.map(lambda text: {"type": "text", "content": text})
keyword_rules = st.fixed_dictionaries(
    {
        "rule_name": st.text("规则名", max_size=3),
        "reply_mode": st.sampled_from(["reply_all", "random_one"]),
        "keyword_list_info": st.lists(
            st.fixed_dictionaries(
                {"type": st.just("text"), "match_mode": st.sampled_from(["contain", "equal"]), "content": words}
            ),
            min_size=1,
            max_size=4,
        ),
        "reply_list_info": st.lists(texts, min_size=1, max_size=5),
    }
)
configurations = st.fixed_dictionaries(
    {"is_add_friend_reply_open": st.sampled_from([0, 1]), "is_autoreply_open": st.sampled_from([0, 1])},
    optional={
        "add_friend_autoreply_info": texts,
        "message_default_autoreply_info": texts,
        "keyword_autoreply_info": st.lists(keyword_rules, max_size=8).map(lambda rules: {"list": rules}),
    },
)


def of_wechat(known, text):
    """The first rule with a keyword in the text, else the reply to everything."""
    if not known["is_autoreply_open"]:
        return [], "all"
    for rule in known.get("keyword_autoreply_info", {"list": []})["list"]:
        for keyword in rule["keyword_list_info"]:
            word = keyword["content"]
            if text == word if keyword["match_mode"] == "equal" else word in text:
                mode = "random" if rule["reply_mode"] == "random_one" else "all"
                return [reply["content"] for reply in rule["reply_list_info"]], mode
    default = known.get("message_default_autoreply_info")
    return ([default["content"]] if default else []), "all"


def of_lobby(made, text):
    rules = [
        CompiledRule(
            at,
            draft.title,
            draft.trigger,
            tuple((keyword.mode, keyword.text) for keyword in draft.keywords),
            tuple(reply.model_dump() for reply in draft.replies),
            draft.reply_mode is ReplyMode.RANDOM,
        )
        for at, draft in enumerate(made.drafts)
        if draft.is_enabled
    ]
    book = RuleBook(1, rules)
    found = book.for_text(text) or book.for_key(Trigger.DEFAULT)
    if not found:
        return [], "all"
    return [reply["text"] for reply in found[0].replies], "random" if found[0].is_random else "all"


@settings(max_examples=400, deadline=None)
@given(known=configurations, said=st.lists(st.text(ALPHABET, min_size=1, max_size=8), max_size=20))
def test_answers_as_wechat_did(known, said):
    made = convert({}, known)

    for text in said + [each["content"] for each in _all_keywords(known)]:
        assert of_lobby(made, text) == of_wechat(known, text)
    follow = known.get("add_friend_autoreply_info")
    (draft,) = [each for each in made.drafts if each.trigger is Trigger.FOLLOW] or [None]
    assert bool(draft) == bool(follow)
    if draft:
        assert draft.is_enabled == bool(known["is_add_friend_reply_open"])
        assert draft.replies[0].text == follow["content"]
    assert not [note for note in made.notes if note.is_loss]


def _all_keywords(known):
    for rule in known.get("keyword_autoreply_info", {"list": []})["list"]:
        yield from rule["keyword_list_info"]


def article(n):
    return {"title": f"文章{n}", "digest": "摘要", "cover_url": "https://a.b/c.jpg", "content_url": f"https://a.b/{n}"}


def menu(*buttons, is_open=1):
    return {"is_menu_open": is_open, "selfmenu_info": {"button": list(buttons)}}


def losses(made):
    return [note.sentence() for note in made.notes if note.is_loss]


@pytest.mark.parametrize(
    ("button", "reply"),
    [
        ({"type": "text", "value": "九点开门"}, {"kind": "text", "text": "九点开门"}),
        ({"type": "img", "value": "m1"}, {"kind": "image", "media_id": "m1"}),
        ({"type": "photo", "value": "m1"}, {"kind": "image", "media_id": "m1"}),
        ({"type": "voice", "value": "m2"}, {"kind": "voice", "media_id": "m2"}),
        ({"type": "video", "value": "m3"}, {"kind": "video", "media_id": "m3", "title": "", "description": ""}),
    ],
)
@pytest.mark.parametrize("is_list", [True, False])
def test_the_consoles_own_buttons_become_keys_with_a_reply(button, reply, is_list):
    sub = {"name": "子", **button}
    made = convert(menu({"name": "母", "sub_button": [sub] if is_list else {"list": [sub]}}), {})

    assert made.buttons == [{"name": "母", "sub_button": [{"name": "子", "type": "click", "key": "menu-1-1"}]}]
    (draft,) = made.drafts
    assert (draft.trigger, draft.keywords[0].text, draft.title) == (Trigger.CLICK, "menu-1-1", "子")
    assert draft.replies[0].model_dump() == reply
    assert not made.notes
    assert takeover.as_it_was(menu({"name": "母", "sub_button": {"list": [sub]}})) == []


def test_buttons_that_a_server_can_set_stay_as_they_are():
    buttons = [
        {"name": "店", "type": "view", "url": "https://a.b/"},
        {"name": "程序", "type": "miniprogram", "url": "https://a.b/", "appid": "wx1", "pagepath": "p"},
        {"name": "键", "type": "click", "key": "menu-1"},
    ]
    made = convert(menu(*buttons), {})

    assert made.buttons == buttons == takeover.as_it_was(menu(*buttons))
    assert made.is_menu_on
    assert ["menu-1" in note.sentence() for note in made.notes] == [True]  # no rule of ours knows it
    assert not convert(menu(*buttons), {}, frozenset({"menu-1"})).notes


def test_a_new_key_is_nobody_elses():
    made = convert(
        menu({"name": "a", "type": "text", "value": "x"}, {"name": "b", "type": "click", "key": "menu-1"}),
        {},
        frozenset({"menu-1x"}),
    )
    assert [button["key"] for button in made.buttons] == ["menu-1xx", "menu-1"]


def test_articles_come_as_many_as_wechat_shows():
    many = {"type": "news", "content": "m", "news_info": {"list": [article(n) for n in range(10)]}}
    rule = {"keyword_list_info": [{"match_mode": "equal", "content": "茶"}], "reply_list_info": [many]}
    made = convert(menu({"name": "读", **many}), {"is_autoreply_open": 1, "keyword_autoreply_info": {"list": [rule]}})

    assert [len(draft.replies[0].articles) for draft in made.drafts] == [1, 8]
    first = made.drafts[0].replies[0].articles[0]
    assert (first.title, first.description, first.url) == ("文章0", "摘要", "https://a.b/0")
    assert len(losses(made)) == 9 + 2
    assert "文章1" in losses(made)[0]


def test_what_cannot_be_carried_is_said():
    rules = [
        {"rule_name": "空", "keyword_list_info": [], "reply_list_info": [{"type": "text", "content": "x"}]},
        {
            "rule_name": "怪",
            "keyword_list_info": [{"type": "text", "match_mode": "contain", "content": "茶"}],
            "reply_list_info": [
                {"type": "card", "content": "1"},
                {"type": "news"},
                {"type": "video", "content": "https://passing.example/v"},
                {"type": "img", "content": ""},
            ],
        },
    ]
    made = convert(
        menu(
            {"name": "视频号", "type": "finder", "value": "x"},
            {"name": "片", "type": "video", "value": "https://passing.example/v"},
            {"name": "坏", "type": "view", "url": "weixin://x"},
            is_open=0,
        ),
        {"is_autoreply_open": 0, "keyword_autoreply_info": {"list": rules}},
    )

    assert not made.drafts
    assert made.buttons == [{"name": "片", "type": "view", "url": "https://passing.example/v"}]
    said = losses(made)
    for part in (
        "“空” stays",
        "“card”",
        "which article",
        "Upload it again",
        "such as a title",
        "“怪” stays",
        "“finder”",
    ):
        assert any(part in sentence for sentence in said), part
    assert any("weixin" not in sentence and "“坏”: Use a full address" in sentence for sentence in said)
    assert any("not published" in note.sentence() for note in made.notes)


@pytest.mark.parametrize("odd", [{}, {"selfmenu_info": []}, {"selfmenu_info": {"button": [1, {"name": None}]}}])
def test_odd_shapes_do_no_harm(odd):
    assert not convert(odd, {"keyword_autoreply_info": {"list": [[], {"keyword_list_info": 3}]}}).drafts
