"""Followers in pages, what is told about them, tags and the blacklist."""

import pytest


@pytest.fixture
def api(sim):
    return sim.api(sim.account())


def test_pages_of_ten_thousand_with_wechats_quirks(sim, api):
    assert sim.post("/sim/followers", account="tea", count=20_001) == {"count": 20_001}

    first = api.get("user/get", next_openid="")
    second = api.get("user/get", next_openid=first["next_openid"])
    third = api.get("user/get", next_openid=second["next_openid"])
    last = api.get("user/get", next_openid=third["next_openid"])

    assert [page["count"] for page in (first, second, third)] == [10_000, 10_000, 1]
    assert third["next_openid"] == third["data"]["openid"][-1]
    assert last == {"total": 20_001, "count": 0, "next_openid": ""}
    everyone = first["data"]["openid"] + second["data"]["openid"] + third["data"]["openid"]
    assert len(set(everyone)) == 20_001
    assert all(len(openid) == 28 for openid in everyone)


def test_an_account_without_followers_has_no_data(api):
    assert api.get("user/get") == {"total": 0, "count": 0, "next_openid": ""}
    assert api.get("user/get", next_openid="o" * 28)["errcode"] == 40003


def test_the_same_name_is_the_same_person(sim, api):
    assert sim.follower() == sim.follower()
    assert sim.follower(name="li") != sim.follower()
    assert [person["name"] for person in sim.get("/sim/followers", account="tea")] == ["mei", "li"]


def test_tells_no_names_and_little_about_those_who_left(sim, api):
    openid = sim.follower()

    told = api.get("user/info", openid=openid)
    assert told["subscribe"] == 1
    assert not {"nickname", "headimgurl", "sex", "city", "errcode"} & set(told)

    sim.event(openid, "unsubscribe")
    assert api.get("user/info", openid=openid) == {"subscribe": 0, "openid": openid}
    assert api.get("user/info", openid="o" * 28)["errcode"] == 40003
    assert api.get("user/info")["errcode"] == 41009
    assert sim.get("/sim/followers", account="tea")[0]["following"] is False


def test_a_batch_has_a_hundred_at_most(sim, api):
    one = {"openid": sim.follower()}

    assert len(api.post("user/info/batchget", {"user_list": [one] * 100})["user_info_list"]) == 100
    assert api.post("user/info/batchget", {"user_list": [one] * 101})["errcode"] == 40032


def test_remarks_are_short(sim, api):
    openid = sim.follower()

    assert api.post("user/info/updateremark", {"openid": openid, "remark": "老板"})["errcode"] == 0
    assert api.get("user/info", openid=openid)["remark"] == "老板"
    assert api.post("user/info/updateremark", {"openid": openid, "remark": "字" * 10})["errcode"] == 40092


def test_tags(sim, api):
    openid, other = sim.follower(), sim.follower(name="li")
    tag = api.post("tags/create", {"tag": {"name": "广东"}})["tag"]
    assert tag == {"id": tag["id"], "name": "广东"}
    assert tag["id"] >= 100
    assert api.post("tags/create", {"tag": {"name": "广东"}})["errcode"] == 45157
    assert api.post("tags/create", {"tag": {"name": "字" * 11}})["errcode"] == 45158
    assert api.post("tags/update", {"tag": {"id": 2, "name": "x"}})["errcode"] == 45058
    assert api.post("tags/delete", {"tag": {"id": 999}})["errcode"] == 45159
    assert api.post("user/tag/get", {"tagid": tag["id"]}) == {"count": 0}

    sim.event(other, "unsubscribe")
    partly = api.post("tags/members/batchtagging", {"openid_list": [openid, other], "tagid": tag["id"]})
    assert (partly["errcode"], partly["fail_openid_list"]) == (45171, [other])
    assert api.post("tags/members/batchtagging", {"openid_list": [openid] * 51, "tagid": 2})["errcode"] == 40032
    assert api.post("tags/getidlist", {"openid": openid}) == {"tagid_list": [tag["id"]]}
    assert api.get("tags/get")["tags"][1] == tag | {"count": 1}
    assert api.post("user/tag/get", {"tagid": tag["id"]})["data"] == {"openid": [openid]}
    api.post("tags/members/batchuntagging", {"openid_list": [openid], "tagid": tag["id"]})
    assert api.post("tags/getidlist", {"openid": openid}) == {"tagid_list": []}


def test_reads_a_tag_on_only_from_a_known_person(api):
    assert api.post("user/tag/get", {"tagid": 2, "next_openid": ["o"]})["errcode"] == 40003


def test_tags_of_another_accounts_people(sim, api):
    sim.account("cake")
    stranger = sim.follower("cake", "wu")

    assert api.post("tags/members/batchtagging", {"openid_list": [stranger], "tagid": 2})["errcode"] == 49003


def test_the_blacklist(sim, api):
    openids = [sim.follower(name=name) for name in "abc"]

    assert api.post("tags/members/getblacklist", {"begin_openid": ""}) == {"total": 0, "count": 0, "next_openid": ""}
    assert api.post("tags/members/batchblacklist", {"openid_list": openids * 7})["errcode"] == 40032
    api.post("tags/members/batchblacklist", {"openid_list": openids})
    assert api.post("tags/members/getblacklist", {})["data"] == {"openid": openids}
    api.post("tags/members/batchunblacklist", {"openid_list": openids[:2]})
    assert api.post("tags/members/getblacklist", {})["data"] == {"openid": openids[2:]}
    assert [person["blocked"] for person in sim.get("/sim/followers", account="tea")] == [False, False, True]
