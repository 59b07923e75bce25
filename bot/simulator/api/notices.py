"""Subscription notices: one for each time a follower allowed it, and the templates they are made of."""

from typing import Any

from bot.simulator import consents, faults, finishes, inbox, templates
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.api.templates import addressee, announce, target
from bot.simulator.errors import Refusal
from bot.simulator.faults import Fault
from bot.simulator.permissions import Allowed
from bot.simulator.store import next_serial

EVENT = "subscribe_msg_sent_event"
FIRST_MSG_ID = 1_700_827_132_819_554_304
KINDS = (templates.ONE_TIME, templates.LONG_TERM)
KEYWORDS = range(2, 6)
SCENE_LETTERS = 15

# The library that addtemplate takes from: keywords by their number, alike in every template.
LIBRARY = ("商品名称", "预约时间", "金额", "联系电话", "订单编号", "活动名称", "温馨提示", "备注")


def send(asked: Asked) -> dict[str, Any]:
    account, body = asked.account.account, asked.body
    with asked.world.store.writing() as db:
        template = templates.find(db, account, body["template_id"], KINDS)
        follower = addressee(db, asked)
        shown = {"title": template["title"], "text": templates.filled(template["content"], body["data"])}
        shown |= target(asked.account, body, "page", 41030)
        if not consents.spend(db, account, follower["openid"], template["template_id"]):
            raise Refusal(43101)
        msg_id = next_serial(db, "notice_msg_id", FIRST_MSG_ID)
        plan = faults.take_in(db, EVENT, account) or Fault()
        code = int(plan.result or 0)
        if code == 0:
            inbox.add(
                db, account, follower["openid"], "subscription", "template", asked.now, shown | {"msg_id": msg_id}
            )
        item = {"TemplateId": template["template_id"], "MsgID": msg_id, "ErrorCode": code}
        item |= {"ErrorStatus": "success" if code == 0 else "failed"}
        fields = {"SubscribeMsgSentEvent": {"List": item}}
        finishes.enqueue(db, account, follower["openid"], EVENT, fields, asked.now, plan)
    announce(asked, plan)
    return OK  # no id: it comes with the event only


def get_all(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        rows = templates.all_of(db, asked.account.account, KINDS)
    return OK | {
        "data": [
            {
                "priTmplId": row["template_id"],
                "title": row["title"],
                "content": row["content"],
                "example": row["example"],
                "type": row["kind"],
            }
            for row in rows
        ]
    }


def add(asked: Asked) -> dict[str, Any]:
    tid, numbers, scene = str(asked.body["tid"]), asked.body["kidList"], asked.body.get("sceneDesc", "")
    if not tid.isdecimal() or len(tid) > 9:
        raise Refusal(200014)
    if (
        not isinstance(numbers, list)
        or len(numbers) not in KEYWORDS
        or not all(type(number) is int and 1 <= number <= len(LIBRARY) for number in numbers)
        or len(set(numbers)) != len(numbers)
    ):
        raise Refusal(200020)
    if not isinstance(scene, str) or len(scene) > SCENE_LETTERS:
        raise Refusal(200021)
    content = templates.content_of([LIBRARY[number - 1] for number in numbers])
    account = asked.account.account
    with asked.world.store.writing() as db:
        if any(row["tid"] == tid and row["content"] == content for row in templates.all_of(db, account, KINDS)):
            raise Refusal(200022)
        return OK | {"priTmplId": templates.add(db, account, templates.ONE_TIME, f"通知 {tid}", content, tid)}


def delete(asked: Asked) -> dict[str, Any]:
    with asked.world.store.writing() as db:
        template = templates.find(db, asked.account.account, asked.body["priTmplId"], KINDS)
        db.execute("DELETE FROM templates WHERE template_id = ?", (template["template_id"],))
    return OK


def categories(asked: Asked) -> dict[str, Any]:
    return OK | {"data": [{"id": 307, "name": "电商平台"}]}


CALLS = (
    Call(
        "/cgi-bin/message/subscribe/bizsend",
        send,
        allowed=Allowed.VERIFIED_SERVICE,
        fields=("touser", "template_id", "data"),
    ),
    Call("/wxaapi/newtmpl/gettemplate", get_all, method="GET", allowed=Allowed.VERIFIED_SERVICE),
    Call("/wxaapi/newtmpl/addtemplate", add, allowed=Allowed.VERIFIED_SERVICE, fields=("tid", "kidList")),
    Call("/wxaapi/newtmpl/deltemplate", delete, allowed=Allowed.VERIFIED_SERVICE, fields=("priTmplId",)),
    Call("/wxaapi/newtmpl/getcategory", categories, method="GET", allowed=Allowed.VERIFIED_SERVICE),
)
