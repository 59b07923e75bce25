"""Materials for ever, drafts that die when they go out, and publishing."""

import json

import pytest

from bot.simulator import envelope

from .conftest import Sim, picture

END = "PUBLISHJOBFINISH"


@pytest.fixture
def api(sim: Sim, callback):
    return sim.api(sim.account(callback_url=callback.url))


@pytest.fixture
def article(api):
    return {"title": "Spring", "author": "Mei", "content": "<p>New tea</p>", "thumb_media_id": api.material("thumb")}


def test_a_material_lives_for_ever(sim, api):
    made = api.add_material("image", picture())

    sim.advance(365 * 86_400)
    api = sim.api(sim.account())
    assert sim.http.get(made["url"]).content == picture()
    page = api.post("material/batchget_material", {"type": "image", "offset": 0, "count": 20})
    assert (page["total_count"], page["item_count"], page["item"][0]["media_id"]) == (1, 1, made["media_id"])
    assert api.get("material/get_materialcount") == {
        "voice_count": 0,
        "video_count": 0,
        "image_count": 1,
        "news_count": 0,
    }
    assert api.post("material/del_material", {"media_id": made["media_id"]})["errcode"] == 0
    assert api.post("material/get_material", {"media_id": made["media_id"]})["errcode"] == 40007


def test_a_film_carries_its_caption(api):
    film = b"\0\0\0\x14ftypisom" + b"\0" * 8
    made = api.add_material("video", film, json.dumps({"title": "Harvest", "introduction": "In May"}))

    assert set(made) == {"media_id"}
    told = api.post("material/get_material", {"media_id": made["media_id"]})
    assert (told["title"], told["description"]) == ("Harvest", "In May")
    assert api.add_material("video", film)["errcode"] == 47001
    assert api.add_material("video", film, "{}")["errcode"] == 47003


def test_a_picture_for_an_article_is_an_address_only(sim, api):
    url = f"{sim.url}/cgi-bin/media/uploadimg"

    def upload(content):
        files = {"media": ("a.png", content)}
        return json.loads(sim.http.post(url, params={"access_token": api.token}, files=files).content)

    assert set(upload(picture("PNG"))) == {"url"}
    assert upload(picture("GIF"))["errcode"] == 40005
    assert upload(picture() + b"\0" * (1 << 20))["errcode"] == 40009


@pytest.mark.parametrize("path", ["material/add_news", "media/uploadnews", "media/uploadvideo"])
def test_what_was_retired_is_refused(api, path):
    assert api.post(path, {})["errcode"] == 48001


def test_a_draft_is_kept_changed_and_deleted(sim, api, article):
    media_id = api.post("draft/add", {"articles": [article, article | {"title": "Second"}]})["media_id"]

    change = {"media_id": media_id, "index": 1, "articles": article | {"title": "Changed"}}
    assert api.post("draft/update", change)["errcode"] == 0
    assert [one["title"] for one in api.post("draft/get", {"media_id": media_id})["news_item"]] == ["Spring", "Changed"]
    assert api.post("draft/update", change | {"articles": [article]})["errcode"] == 47001
    assert api.post("draft/update", change | {"index": 2})["errcode"] == 40114
    shown = [sim.http.get(f"{sim.url}/s/draft/{media_id}/{place}") for place in (2, 3)]
    assert ["Changed" in answer.text for answer in shown] == [True, False]
    page = api.post("draft/batchget", {"offset": 0, "count": 20, "no_content": 1})
    assert page["item"][0]["media_id"] == media_id
    assert "content" not in page["item"][0]["content"]["news_item"][0]
    assert api.get("draft/count") == {"total_count": 1}
    assert [api.post("draft/delete", {"media_id": media_id})["errcode"] for _ in range(2)] == [0, 0]
    assert api.post("draft/get", {"media_id": media_id})["errcode"] == 40007
    assert api.post("draft/batchget", {"offset": 0, "count": 21})["errcode"] == 40097


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"title": ""}, 45003),
        ({"title": "x" * 33}, 45003),
        ({"author": "x" * 17}, 45110),
        ({"digest": "x" * 121}, 45004),
        ({"content": ""}, 44004),
        ({"content": "x" * 20_000}, 45002),
        ({"content_source_url": "x" * 1025}, 41039),
        ({"thumb_media_id": "none"}, 40007),
        ({"article_type": "film"}, 47003),
        ({"need_open_comment": 2}, 47003),
        ({"article_type": "newspic"}, 47003),
    ],
)
def test_refuses_an_article(api, article, change, errcode):
    assert api.post("draft/add", {"articles": [article | change]})["errcode"] == errcode


def test_refuses_no_articles_and_too_many(api, article):
    assert api.post("draft/add", {"articles": []})["errcode"] == 44003
    assert api.post("draft/add", {"articles": [article] * 9})["errcode"] == 45008


def test_a_temporary_picture_heads_no_article(api, article):
    temporary = api.upload("image", picture())["media_id"]

    assert api.post("draft/add", {"articles": [article | {"thumb_media_id": temporary}]})["errcode"] == 40007


def test_scripts_and_foreign_pictures_are_dropped(api, article):
    ours = api.add_material("image", picture())["url"]
    content = f'<p onclick="x()">a</p><script>x()</script><img src="{ours}"><img src="https://evil.example/x.png">'
    media_id = api.post("draft/add", {"articles": [article | {"content": content}]})["media_id"]

    [told] = api.post("draft/get", {"media_id": media_id})["news_item"]
    assert told["content"] == f'<p>a</p><img src="{ours}">'
    assert told["digest"] == "a"


def test_a_picture_article(sim, api):
    article = {"article_type": "newspic", "title": "T", "content": "<b>plain</b>"}
    article["image_info"] = {"image_list": [{"image_media_id": api.material()}]}

    media_id = api.post("draft/add", {"articles": [article]})["media_id"]

    assert api.post("draft/get", {"media_id": media_id})["news_item"][0]["content"] == "plain"


def test_a_draft_is_published(sim, api, callback, article):
    media_id = api.post("draft/add", {"articles": [article]})["media_id"]

    done = api.post("freepublish/submit", {"media_id": media_id})

    sim.settle()
    event = envelope.from_xml(callback.received[-1]["body"])
    info = event["PublishEventInfo"]
    assert (event["Event"], info["publish_id"], info["publish_status"]) == (END, str(done["publish_id"]), "0")
    told = api.post("freepublish/get", {"publish_id": done["publish_id"]})
    assert (told["publish_status"], told["article_id"]) == (0, info["article_id"])
    assert "New tea" in sim.http.get(told["article_detail"]["item"][0]["article_url"]).text
    assert api.post("draft/get", {"media_id": media_id})["errcode"] == 40007
    page = api.post("freepublish/batchget", {"offset": 0, "count": 5})
    assert [item["article_id"] for item in page["item"]] == [info["article_id"]]
    assert api.post("freepublish/delete", {"article_id": info["article_id"]})["errcode"] == 0
    assert api.post("freepublish/getarticle", {"article_id": info["article_id"]})["news_item"][0]["is_deleted"]
    assert sim.http.get(told["article_detail"]["item"][0]["article_url"]).status_code == 404


def test_publishing_is_checked_and_may_fail(sim, api, callback, article):
    sim.account(moderation_seconds=60)
    sim.post("/sim/faults", path=END, result="2")
    media_id = api.post("draft/add", {"articles": [article]})["media_id"]
    publish_id = api.post("freepublish/submit", {"media_id": media_id})["publish_id"]
    assert api.post("freepublish/get", {"publish_id": publish_id})["publish_status"] == 1

    sim.advance(61)
    sim.settle()

    told = api.post("freepublish/get", {"publish_id": publish_id})
    assert (told["publish_status"], told["fail_idx"]) == (2, [1])
    assert "<fail_idx>1</fail_idx>" in callback.received[-1]["body"].decode()
    assert api.post("draft/get", {"media_id": media_id})["news_item"]
    assert api.post("freepublish/submit", {"media_id": "none"})["errcode"] == 40007
    assert api.post("freepublish/getarticle", {"article_id": "none"})["errcode"] == 53600
