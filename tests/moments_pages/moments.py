"""A few days of a circle of friends with photos, so that every page of posts has something of everything to show."""

import io
from datetime import timedelta
from typing import Any

from PIL import Image, ImageDraw

from bot import clock
from tests.moments_pages.people import Person
from tests.moments_pages.samples import Circle, circle

LONG = "今天走了很远的路，从老城门一直走到河边的茶馆。" * 9
PALETTE = ((222, 184, 135), (122, 160, 120), (86, 125, 160), (200, 120, 110), (235, 220, 190))


def picture(at: int = 0, size: tuple[int, int] = (480, 360)) -> bytes:
    """A photo of hills that nobody has seen."""
    image = Image.new("RGB", size, PALETTE[at % 5])
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.ellipse((width * 0.6, height * 0.1, width * 0.8, height * 0.1 + width * 0.2), PALETTE[4])
    for row in range(3):
        shade = PALETTE[(at + row + 1) % 5]
        top = height * (0.45 + 0.18 * row)
        hills = [(0, height), (0, top), (width * (0.3 + 0.2 * row), top - 60), (width, top + 30), (width, height)]
        draw.polygon(hills, shade)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def upload(who: Person, content: bytes, alt: str = "") -> str:
    answer = who.client.post("/moments/api/v1/media", data=content, headers=who.headers)
    assert answer.status_code == 201, answer.data
    if alt:
        who("PATCH", f"/media/{answer.json['id']}", {"alt": alt})
    return str(answer.json["id"])


def days(make: Any) -> tuple[Circle, dict[str, str]]:
    """The circle with more posts, and the paths of the pages that show them, by name; ``make`` as the fixture."""
    people: dict[str, Person] = {}

    def noted(handle: str, *friends: Person, **values: Any) -> Person:
        people[handle] = made = make(handle, *friends, **values)
        return made

    around = circle(noted)
    me, wei = around.me, people["wei"]
    me("PUT", "/me/avatar", {"media": upload(me, picture(2, (300, 300)))})
    me("PUT", "/me/cover", {"media": upload(me, picture(1, (1200, 500)))})
    one = wei.post("一个人去看海。", media=[upload(wei, picture(2), "傍晚的海")], place="青岛")
    four = me.post(LONG, media=[upload(me, picture(at)) for at in range(4)], place="西安")
    nine = wei.post("", media=[upload(wei, picture(at, (300, 400))) for at in range(9)])
    wei.post("一篇好文章", link="https://example.com/tea/how-to-brew")
    me("PUT", f"/posts/{nine}/like")
    first = me("POST", f"/posts/{one}/comments", {"body": "哪天去的？海水冷不冷？"}).json["id"]
    wei("POST", f"/posts/{one}/comments", {"body": "上周末，冷得要命，可是值得。", "reply_to": first})
    me("PATCH", f"/posts/{four}", {"body": LONG + "（改了一个字）"})
    me(
        "PUT",
        f"/posts/{four}/audience",
        {"audience": {"mode": "allow", "allow_groups": [around.family]}, "confirm": True},
    )
    passed = me.post("值得一读", root=one)
    waits = {"body": "周五晚上茶馆见！", "place": "西安", "media": [upload(me, picture(3))]}
    me("POST", "/scheduled", {**waits, "at": (clock.now() + timedelta(days=3)).isoformat()})
    return around, {
        "feed": "/",
        "search": "/search?q=海",
        "compose": "/compose",
        "pass_on": f"/compose?root={one}",
        "post": f"/posts/{one}",
        "own_post": f"/posts/{four}",
        "passed": f"/posts/{passed}",
        "edit": f"/posts/{four}/edit",
        "audience": f"/posts/{four}/audience",
        "history": f"/posts/{four}/history",
        "me": "/me",
        "wall": "/me?view=wall",
        "scheduled": "/scheduled",
        "album": f"/members/{wei.address}",
        "view_as": f"/view/{wei.address}",
        "nothing": "/posts/00000000000",
    }
