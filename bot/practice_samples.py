"""What the practice account says: samples to read, change and throw away."""

from typing import Any
from urllib.parse import urlsplit

from bot.services.assistant import PRACTICE
from bot.services.rules import Keyword, RuleDraft
from bot.wechat.messages import Article, News, Text
from models import MatchMode, ReplyMode, Trigger


def _words(*texts: str, mode: MatchMode = MatchMode.EXACT) -> list[Keyword]:
    return [Keyword(mode=mode, text=text) for text in texts]


RULES = (
    RuleDraft(
        title="欢迎 · Welcome",
        trigger=Trigger.FOLLOW,
        replies=[
            Text(
                text="欢迎来到大厅！发送“你好”打个招呼，发送“价格”看价目，需要真人请发送“人工”。\n"
                "Welcome to the lobby! Say “hello”, ask for a “price”, or write “human” for a person."
            )
        ],
    ),
    RuleDraft(
        title="问候 · Hello",
        keywords=_words("hello", "hi", "你好", "您好"),
        replies=[
            Text(
                text="你好，{{nickname|朋友}}！很高兴见到你，有什么可以帮忙的？\n"
                "Hello! Lovely to see you. How can we help?"
            )
        ],
    ),
    RuleDraft(
        title="价格 · Prices",
        keywords=_words("价格", "多少钱", "price", mode=MatchMode.CONTAINS),
        replies=[
            Text(
                text="单人票 99 元，双人票 168 元，六岁以下儿童免费。\n"
                "One person 99 yuan, two 168 yuan, children under six free."
            )
        ],
    ),
    RuleDraft(
        title="订单 · Orders",
        keywords=_words(r"(订单|order)\s*#?\d{4,12}", mode=MatchMode.REGEX),
        replies=[
            Text(
                text="收到，我们正在查询这个订单，结果会发到这里。\n"
                "Thank you: we are looking that order up and will write to you here."
            )
        ],
    ),
    RuleDraft(
        title="笑话 · A joke",
        keywords=_words("笑话", "joke"),
        reply_mode=ReplyMode.RANDOM,
        replies=[
            Text(text="前台养了一只猫，它从不值班，但总在签到。\nOur cat never works a shift, yet it always signs in."),
            Text(text="为什么电梯最有礼貌？它总是让人先上。\nWhy are lifts so polite? You always go up first."),
        ],
    ),
    RuleDraft(
        title="营业时间 · Opening hours",
        trigger=Trigger.CLICK,
        keywords=_words("HOURS"),
        replies=[Text(text="每天 9:00–21:00，节假日照常。\nEvery day from 9:00 to 21:00, holidays too.")],
    ),
    RuleDraft(
        title="怎么找到我们 · Where we are",
        trigger=Trigger.CLICK,
        keywords=_words("WHERE"),
        replies=[
            News(
                articles=(
                    Article(
                        title="怎么找到我们 · How to find us",
                        description="地铁二号线 3 号口，步行五分钟。Metro line 2, exit 3, five minutes on foot.",
                        url="https://example.com/where",
                    ),
                )
            )
        ],
    ),
    RuleDraft(
        title="前台二维码 · The code on the desk",
        trigger=Trigger.SCAN,
        keywords=_words("desk"),
        replies=[Text(text="你扫了前台的二维码，欢迎光临！\nYou scanned the code on our desk: welcome!")],
    ),
    RuleDraft(
        title="没听懂 · Anything else",
        trigger=Trigger.DEFAULT,
        replies=[
            Text(
                text="这句我还不会。试试“你好”“价格”，或发送“人工”找真人。\n"
                "I do not know that yet. Try “hello” or “price”, or write “human” for a person."
            )
        ],
    ),
)


ASSISTANT: dict[str, Any] = {
    "is_enabled": True,
    "url": PRACTICE,
    "model": "lobby-practice",
    "prompt": "你是前台的小助手，亲切、简短。You are the front desk's assistant: friendly and brief.",
    "price_in_fen": 100,
    "price_out_fen": 200,
    "account_fen": 500,
}

KNOWLEDGE = (
    "到店须知 · Visiting us",
    """# 到店须知 Visiting us

## 营业时间 Opening hours
我们每天上午 9:00 开门，晚上 9:00 关门，最后入场时间是晚上 8:00。节假日照常营业，除夕提前到下午 5:00 关门。
We open at 9:00 and close at 21:00 every day, holidays included; last entry is at 20:00.

## 停车 Parking
地下车库 B2 层可以停车，消费满 100 元免费停 3 小时，超出部分每小时 8 元。
Park on level B2: three hours are free with purchases of 100 yuan, then 8 yuan an hour.

## 退票和改期 Refunds and other days
门票在使用前一天 18:00 之前可以全额退款，之后不能退，但可以免费改期一次。款项原路退回，一般 3 个工作日到账。
Tickets are refunded in full until 18:00 of the day before; after that you may change the day once, for free.

## 儿童 Children
六岁以下儿童免费入场，需要一位成人陪同。店里有母婴室，在二楼电梯旁。
Children under six enter free with an adult. A nursing room is on the second floor by the lifts.

## 宠物 Pets
宠物不能进入展厅，导盲犬除外。门口有免费寄养处，最多 4 小时。
Pets stay outside, guide dogs excepted; the free kennel at the door takes them for up to four hours.

## 无线网络 Wi-Fi
无线网络名称是 Lobby-Guest，密码是 hello2026。
The network is Lobby-Guest, its password hello2026.
""",
)


def menu(callback_url: str) -> list[dict[str, Any]]:
    """The buttons; their keys are answered by the rules above."""
    parts = urlsplit(callback_url)
    return [
        {"name": "营业时间", "type": "click", "key": "HOURS"},
        {
            "name": "关于我们",
            "sub_button": [
                {"name": "怎么找到我们", "type": "click", "key": "WHERE"},
                {"name": "接口文档 API", "type": "view", "url": f"{parts.scheme}://{parts.netloc}/api/docs"},
            ],
        },
    ]
