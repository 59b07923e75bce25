"""A small circle of friends, so that each page about people has something of everything to show."""

from dataclasses import dataclass
from typing import Any

from tests.moments_pages.people import Person


@dataclass
class Circle:
    me: Person
    paths: dict[str, str]  # name → path of each page about people
    family: str


def circle(make: Any) -> Circle:
    """``make`` as the fixture ``person``."""
    me = make("xiaomei", name="林小美")
    wei = make("wei", me, name="张伟")
    fang = make("fang", me, wei, name="李芳")
    me.post("在河边走了一圈，柳树都绿了。")
    jun = make("jun", me, name="Jun from the tea house by the lake"[:32])
    bao = make("bao", me, name="鲍师傅")
    family = me("POST", "/groups", {"name": "家人"}).json["id"]
    work = me("POST", "/groups", {"name": "同事"}).json["id"]
    for each in (wei, fang):
        me("PUT", f"/groups/{family}/members/{each.address}")
    me("PUT", f"/groups/{work}/members/{jun.address}")
    walk = me.post("周末去爬山，谁一起？")
    me.post("只给家里人看的照片", audience={"mode": "allow", "allow_groups": [family]})
    me.post("不给同事看", audience={"mode": "deny", "deny_groups": [work]})
    me.post("写给自己", audience={"mode": "private"})
    wei("PUT", f"/posts/{walk}/like")
    fang("POST", f"/posts/{walk}/comments", {"body": "算我一个！"})
    jun("POST", f"/posts/{walk}/comments", {"body": "What time do we meet, and should I bring the big thermos?"})
    me("PATCH", f"/friends/{wei.address}", {"remark": "老张"})
    me("PATCH", f"/friends/{jun.address}", {"mutes": True})
    me("PATCH", f"/friends/{bao.address}", {"hides": True, "mutes": True})
    theirs = wei.post("新茶到了")
    me("PUT", f"/posts/{theirs}/like")
    me("POST", f"/posts/{theirs}/comments", {"body": "给我留一斤"})
    me.post("好茶", root=theirs)
    me("PUT", f"/blocks/{make('spam', name='广告').address}")
    asks = make("chen", wei, fang, name="陈静")
    asks("POST", "/requests", {"member": me.address, "message": "我是芳的同学，上次在茶馆见过。"})
    waits = make("gao", name="高远")
    me("POST", "/requests", {"member": waits.address, "message": "还记得我吗？"})
    me("POST", "/me/code")
    theirs_code = make("luyu", name="陆羽")("POST", "/me/code").json["code"]
    paths = {
        "friends": "/friends",
        "found": "/friends?handle=luyu",
        "accept": f"/friends/accept/{asks.address}",
        "add": f"/add/{theirs_code}",
        "code": "/friends/code",
        "friend": f"/friends/{wei.address}",
        "unfriend": f"/friends/{wei.address}/end",
        "groups": "/groups",
        "group": f"/groups/{family}",
        "take_out": f"/groups/{family}/out/{wei.address}",
        "apply": f"/groups/{family}/apply",
        "privacy": "/privacy",
        "many": "/many",
        "notices": "/notices",
        "choices": "/notices/choices",
        "activity": "/activity",
        "account": "/account",
        "delete": "/account/delete",
    }
    return Circle(me, paths, family)
