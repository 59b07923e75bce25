"""A tea house with a morning's work behind it: what the pages show in tests and in screenshots."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from bot import clock
from bot.services import auto_tags, conversations, menus, message_search, rules, segments, tags
from bot.services.auto_tags import AutoTagDraft
from bot.services.rules import RuleDraft
from models import (
    Account,
    AutoTag,
    Campaign,
    Conversation,
    Follower,
    InboundMessage,
    MenuOutcome,
    MenuVersion,
    ReplyWindow,
    Role,
    Rule,
    Segment,
    Send,
    SendStatus,
    Tag,
    Takeover,
    Trigger,
)
from tests.console.assistant_samples import assistant_of
from tests.console.campaign_samples import campaigns_of
from tests.factories import Create

NAMES = (
    "林晓雨",
    "王建国",
    "陈思思 🌿",
    "Emma Zhang",
    "赵敏",
    "一个名字特别特别长的老顾客从来不肯改短",
    "周舟",
    "孙倩",
    "李四光",
    "吴老师",
    "郑好",
    "冯程程",
)
WORDS = (
    "你好",
    "请问今天营业到几点？",
    "春茶有货吗",
    "多少钱",
    "可以开发票吗？",
    "订单 20261123 发货了吗",
    "谢谢！",
    "地址在哪里",
)
MENU = [
    {
        "name": "茶品",
        "sub_button": [
            {"name": "今日新茶", "type": "click", "key": "TODAY"},
            {"name": "线上茶铺", "type": "view", "url": "https://tea.example.com/shop"},
            {
                "name": "会员小程序",
                "type": "miniprogram",
                "url": "https://tea.example.com",
                "appid": "wx1234567890abcdef",
                "pagepath": "pages/index/index",
            },
        ],
    },
    {"name": "预约包间", "type": "view", "url": "https://tea.example.com/book"},
    {
        "name": "找我们",
        "sub_button": [
            {"name": "地址与时间", "type": "click", "key": "WHERE"},
            {"name": "人工客服", "type": "click", "key": "HUMAN"},
        ],
    },
]
CONDITIONAL = [
    {
        "title": "会员菜单",
        "matchrule": {"tag_id": "100"},
        "buttons": [MENU[1], {"name": "会员日", "type": "click", "key": "DAY"}],
    },
    {"title": "", "matchrule": {"client_platform_type": "2"}, "buttons": MENU[1:]},
]
RULES = (
    {
        "title": "欢迎新朋友",
        "trigger": "follow",
        "replies": [{"kind": "text", "text": "欢迎来到云上茶舍！回复“菜单”看今日新茶，需要真人请回复“人工”。"}],
    },
    {
        "title": "营业时间",
        "keywords": [
            {"mode": "contains", "text": "几点"},
            {"mode": "contains", "text": "营业时间"},
            {"mode": "exact", "text": "hours"},
        ],
        "replies": [{"kind": "text", "text": "我们每天 9:30–22:00 营业，周五、周六到 23:30。"}],
    },
    {
        "title": "价目",
        "keywords": [{"mode": "contains", "text": "多少钱"}, {"mode": "contains", "text": "价格"}],
        "replies": [
            {
                "kind": "news",
                "articles": [
                    {
                        "title": "2026 秋季价目表",
                        "description": "点开看完整价目",
                        "picture_url": "",
                        "url": "https://tea.example.com/prices",
                    }
                ],
            }
        ],
    },
    {
        "title": "夜间自动回复",
        "keywords": [{"mode": "contains", "text": "你好"}],
        "time_from": "22:00",
        "time_to": "06:00",
        "replies": [{"kind": "text", "text": "夜深了，我们已经休息，明早 9:30 第一时间回复您。"}],
    },
    {
        "title": "订单查询",
        "keywords": [{"mode": "regex", "text": r"(订单|order)\s*#?\d{4,12}"}],
        "replies": [{"kind": "text", "text": "收到，正在为您查询，请稍候。"}],
    },
    {
        "title": "问好",
        "keywords": [{"mode": "exact", "text": "你好"}, {"mode": "exact", "text": "hello"}],
        "reply_mode": "random",
        "replies": [
            {"kind": "text", "text": "您好，{{nickname|朋友}}！想喝点什么？"},
            {"kind": "text", "text": "您好呀！今天的龙井刚到。"},
            {"kind": "image", "media_id": "mediaid123"},
        ],
    },
    {
        "title": "国庆活动",
        "keywords": [{"mode": "contains", "text": "活动"}],
        "starts_on": "2026-10-01",
        "ends_on": "2026-10-07",
        "is_enabled": False,
        "replies": [{"kind": "text", "text": "国庆期间第二杯半价。"}],
    },
    {
        "title": "没有答案时",
        "trigger": "default",
        "replies": [{"kind": "text", "text": "我还没学会回答这个。回复“人工”，店里的人会来。"}],
    },
)

CONSOLE_MENU = {
    "is_menu_open": 1,
    "selfmenu_info": {
        "button": [
            {
                "name": "茶品",
                "sub_button": {
                    "list": [
                        {"type": "text", "name": "今日新茶", "value": "今天到了龙井和碧螺春。"},
                        {"type": "view", "name": "线上茶铺", "url": "https://tea.example.com/shop"},
                    ]
                },
            },
            {"name": "视频号", "type": "finder", "value": "x"},
            {"name": "怎么来", "type": "img", "value": "mediaid456"},
        ]
    },
}
CONSOLE_REPLIES = {
    "is_add_friend_reply_open": 1,
    "is_autoreply_open": 1,
    "add_friend_autoreply_info": {"type": "text", "content": "欢迎关注云上茶舍！"},
    "message_default_autoreply_info": {"type": "text", "content": "已收到，稍后回复您。"},
    "keyword_autoreply_info": {
        "list": [
            {
                "rule_name": "价格与优惠",
                "reply_mode": "random_one",
                "keyword_list_info": [
                    {"type": "text", "match_mode": "contain", "content": "多少钱"},
                    {"type": "text", "match_mode": "equal", "content": "优惠"},
                ],
                "reply_list_info": [
                    {"type": "text", "content": "新客首杯八折，详情请看价目表。"},
                    {"type": "text", "content": "本周龙井买一送一。"},
                ],
            },
            {
                "rule_name": "人工",
                "reply_mode": "reply_all",
                "keyword_list_info": [{"type": "text", "match_mode": "equal", "content": "客服"}],
                "reply_list_info": [{"type": "text", "content": "请拨打 400-000-0000。"}],
            },
        ]
    },
}


@dataclass
class TeaHouse:
    account: Account
    rules: list[Rule]
    people: list[Follower]
    conversation: Conversation
    tags: list[Tag]
    auto_tag: AutoTag
    segment: Segment
    campaigns: list[Campaign]


def tea_house(create: Create, nickname: str = NAMES[0]) -> TeaHouse:
    """An account with rules, followers, two weeks of messages, a menu, and people waiting."""
    session, now = create.session, clock.now()
    account = create.account("tea-house", title="云上茶舍")
    made = [rules.save(session, account, RuleDraft.model_validate(each)) for each in RULES]
    people = [
        create.follower(
            account,
            nickname=nickname if at == 0 else name,
            subscribed_at=now - timedelta(days=at * 3),
            seen_at=now - timedelta(minutes=7 * at * at),
            is_subscribed=at != 7,
            source="ADD_SCENE_QR_CODE",
        )
        for at, name in enumerate(NAMES)
    ]
    people[7].unsubscribed_at = now - timedelta(days=1)
    people[0].remark = ""
    made_tags = [tags.add(session, account, name) for name in ("会员", "常客", "企业订单")]
    people[0].tags.extend(made_tags)
    people[2].tags.append(made_tags[2])
    draft = AutoTagDraft(trigger=Trigger.KEYWORD, pattern="发票", tag_id=made_tags[2].id)
    auto_tag = auto_tags.save(session, account, draft)
    _talk(create, account, made, people)
    account_tag = session.scalars(select(Tag).where(Tag.account_id == account.id, Tag.name == "会员")).one()
    account_tag.wechat_id = 100
    session.flush()
    menus.save(session, account, MENU, CONDITIONAL)
    session.add(Takeover(account_id=account.id, selfmenu=CONSOLE_MENU, autoreply=CONSOLE_REPLIES))
    session.add(
        MenuVersion(account_id=account.id, number=1, buttons=MENU[:2], who="小美", outcome=MenuOutcome.PUBLISHED)
    )
    opened = conversations.take(session, account, people[0], is_waiting=True)
    opened.opened_at = opened.waiting_since = now - timedelta(minutes=9)
    conversations.take(session, account, people[1], is_waiting=True)
    conversations.take(session, account, people[5])
    session.add(ReplyWindow(follower_id=people[0].id, trigger="message", left=4, expires_at=now + timedelta(hours=31)))
    assistant_of(session, account, people[3])
    segment = segments.save(session, account, "茶友与新客", _segment(made_tags[2].id), who="小美")
    campaigns = campaigns_of(session, account, people)
    while some := message_search.read(session, message_search.end(session)):
        message_search.keep(session, some)
    session.commit()
    return TeaHouse(account, made, people, opened, made_tags, auto_tag, segment, campaigns)


def _segment(tag_id: int) -> dict[str, Any]:
    """Those of the tag, and those who are new and do something; nobody on the blocklist."""
    new = [
        {"field": "followed", "op": "last_days", "value": 30},
        {"not": {"any": [{"field": "tapped", "of": "TODAY", "op": "last_days", "value": 7}]}},
    ]
    follows, blocked = (
        {"field": name, "op": "is", "value": value} for name, value in (("follows", True), ("blocked", False))
    )
    return {"all": [follows, blocked, {"any": [{"field": "tag", "op": "has", "value": tag_id}, {"all": new}]}]}


def _talk(create: Create, account: Account, made: list[Rule], people: list[Follower]) -> None:
    session, now = create.session, clock.now()
    number = 0
    for days in range(14):
        for each in range((days * 7 + 5) % 13 + 4):
            number += 1
            person, rule = people[number % len(people)], made[number % len(made)]
            session.add(
                InboundMessage(
                    account_id=account.id,
                    openid=person.openid,
                    dedup_key=str(number),
                    follower_id=person.id,
                    kind="text",
                    text=WORDS[number % len(WORDS)],
                    received_at=now - timedelta(days=days, minutes=11 * each + 3),
                    reply=rule.replies[0],
                    rule_id=rule.id,
                )
            )
    first = people[0]
    for at, (kind, event, text) in enumerate(
        [
            ("event", "subscribe", ""),
            ("image", "", ""),
            ("text", "", "人工"),
            ("text", "", "包间还有吗？我们 8 个人，周六晚上。"),
        ]
    ):
        session.add(
            InboundMessage(
                account_id=account.id,
                openid=first.openid,
                dedup_key=f"x{at}",
                follower_id=first.id,
                kind=kind,
                event=event,
                text=text,
                received_at=now - timedelta(minutes=12 - at * 2),
                reply={"kind": "text", "text": "好的，正在为您转接店里的同事。"} if text == "人工" else None,
                trace=[{"handler": "customer_service", "why": "The follower asked for a person."}] if at > 1 else [],
            )
        )
    operator = create.operator("小美", role=Role.AGENT, account=account)
    for at, (text, status, error) in enumerate(
        [
            ("您好，周六晚上还有一间“听雨”，可坐 10 人。", SendStatus.SENT, ""),
            (
                "给您留到今晚八点可以吗？",
                SendStatus.FAILED,
                "WeChat's reply window is closed: the follower must write first.",
            ),
        ]
    ):
        session.add(
            Send(
                account_id=account.id,
                follower_id=first.id,
                operator_id=operator.id,
                reply={"kind": "text", "text": text},
                status=status,
                error=error,
                created_at=now - timedelta(minutes=5 - at),
            )
        )
    session.commit()
