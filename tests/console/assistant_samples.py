"""The tea house's assistant: what it knows, and what it answered this morning."""

from datetime import timedelta

from sqlalchemy.orm import Session

from bot import clock
from bot.services import assistant_limits, knowledge
from models import Account, Answer, AnswerState, Assistant, AssistantUsage, Follower, SourceKind, Way

KNOWLEDGE = """# 到店须知

## 营业时间
每天 9:30–22:00，周五、周六到 23:30。

## 包间
包间最多坐八位，低消 380 元，请提前一天预约。
"""
QUESTIONS = "问题,答案\n可以带宠物吗,小型犬可以坐在露台，请系好牵引绳。\n有停车位吗,地下车库 B1 免费两小时。\n"
ANSWERS = (
    ("包间最多坐几个人？", "包间最多坐八位，低消 380 元，请提前一天预约。", "", AnswerState.GIVEN, Way.PASSIVE),
    (
        "可以带我家的猫来吗，它很乖从来不抓人",
        "小型犬可以坐在露台；猫的话请先问问店员。",
        "",
        AnswerState.GIVEN,
        Way.CUSTOMER,
    ),
    ("有没有适合送长辈的茶礼盒", "抱歉，这个问题我暂时答不上来。", "timeout", AnswerState.GIVEN, Way.LINK),
    ("你们老板是谁", "", "person", AnswerState.DROPPED, Way.HOLD),
)


def assistant_of(session: Session, account: Account, follower: Follower) -> None:
    now = clock.now()
    session.add(
        Assistant(
            account_id=account.id,
            is_enabled=True,
            url="https://api.example.com/v1",
            model="qwen-plus",
            prompt="你是云上茶舍的小二，说话亲切、简短。",
            account_fen=1000,
            price_in_fen=80,
            price_out_fen=200,
            words_out=["保证", "最低价"],
        )
    )
    day = assistant_limits.day_of(account.timezone, now)
    session.add(AssistantUsage(account_id=account.id, day=day, messages=812, tokens=1_204_880, cost=412 * 1_000_000))
    knowledge.save(session, account, "到店须知", SourceKind.MARKDOWN, KNOWLEDGE)
    knowledge.save(session, account, "常见问题", SourceKind.CSV, QUESTIONS)
    trace = [{"handler": "assistant", "why": "It was told this passage.", "title": "到店须知 › 到店须知 › 包间"}]
    for place, (question, text, trouble, state, way) in enumerate(ANSWERS):
        session.add(
            Answer(
                account_id=account.id,
                follower_id=follower.id,
                question=question,
                text=text,
                trouble=trouble,
                state=state,
                way=way,
                trace=trace,
                tokens_in=612,
                tokens_out=48,
                milliseconds=2300,
                created_at=now - timedelta(minutes=40 - place),
                ended_at=now - timedelta(minutes=39 - place),
                deadline_at=now,
            )
        )
