"""Menus: limits in bytes, two shapes when read, and conditional ones for some followers."""

import json

import pytest

CLICK = {"type": "click", "name": "菜单", "key": "k"}


@pytest.fixture
def api(sim):
    return sim.api(sim.account())


def view(url="https://example.org/", name="看"):
    return {"type": "view", "name": name, "url": url}


def parent(*subs):
    return {"name": "更多", "sub_button": list(subs)}


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([CLICK], 0),
        ([parent(CLICK, view())], 0),
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([CLICK | {"name": "六个汉字多了"}], 40018),
        ([CLICK | {"name": "五个汉字啊"}], 0),
        ([CLICK | {"name": ""}], 40018),
        ([CLICK | {"key": "k" * 129}], 40019),
        ([CLICK | {"key": "字" * 43}], 40019),
        ([CLICK | {"type": "dance"}], 40017),
        ([view("https://example.org/" + "x" * 1020)], 40020),
        ([view("example.org")], 40055),
        ([view("http://[")], 40055),
        ([parent(*[CLICK] * 6)], 40023),
        ([parent(parent(CLICK))], 40022),
        ([parent(CLICK | {"type": ""})], 40024),
        ([parent(CLICK | {"name": "字" * 21})], 40025),
        ([parent(CLICK | {"key": ""})], 40026),
        ([parent(view("https://e.org/" + "x" * 1020))], 40027),
        ([parent(view("ftp://e.org"))], 40054),
        ([{"name": "空", "sub_button": []}], 41007),
        ([{"type": "miniprogram", "name": "小", "url": "https://e.org", "appid": "x", "pagepath": "p"}], 40166),
        (
            [{"type": "miniprogram", "name": "小", "url": "https://e.org", "appid": "wx" + "0" * 16, "pagepath": "p"}],
            45064,
        ),
        ([{"type": "media_id", "name": "图", "media_id": "x"}], 40007),
        ([{"type": "article_id", "name": "文", "article_id": "x"}], 53600),
    ],
)
def test_checks_buttons(api, buttons, errcode):
    assert api.post("menu/create", {"button": buttons})["errcode"] == errcode


def test_a_number_no_menu_has_is_refused(api):
    assert api.post("menu/delconditional", {"menuid": "9" * 5000})["errcode"] == 65301


def test_refuses_escaped_names(api):
    raw = json.dumps({"button": [CLICK]}).encode()

    assert api.post("menu/create", raw)["errcode"] == 40033


def test_reads_in_two_shapes(api):
    assert api.get("menu/get")["errcode"] == 46003
    assert api.get("get_current_selfmenu_info")["is_menu_open"] == 0
    api.post("menu/create", {"button": [CLICK, parent(view())]})

    assert api.get("menu/get") == {
        "menu": {"button": [CLICK | {"sub_button": []}, parent(view() | {"sub_button": []})]}
    }
    assert api.get("get_current_selfmenu_info") == {
        "is_menu_open": 1,
        "selfmenu_info": {"button": [CLICK, {"name": "更多", "sub_button": {"list": [view()]}}]},
    }


def test_a_menu_of_the_console_can_only_be_read(sim, api):
    button = {"type": "text", "name": "电话", "value": "10086"}
    sim.post("/sim/menus", account="tea", button=[button])

    assert api.get("menu/get")["errcode"] == 46003
    assert api.get("get_current_selfmenu_info")["selfmenu_info"] == {"button": [button]}
    sim.follower()
    assert sim.get("/phone/state", account="tea")["menu"]["button"] == [button]


@pytest.mark.parametrize(
    ("rule", "errcode"),
    [({}, 65304), ({"tag_id": ""}, 65304), ({"sex": "1"}, 65320), ({"tag_id": "2", "city": "x"}, 65320)],
)
def test_checks_rules(api, rule, errcode):
    assert api.post("menu/addconditional", {"button": [CLICK], "matchrule": {"tag_id": "2"}})["errcode"] == 65303
    api.post("menu/create", {"button": [CLICK]})

    assert api.post("menu/addconditional", {"button": [CLICK], "matchrule": rule})["errcode"] == errcode


def test_the_newest_fitting_menu_wins(sim, api):
    openid = sim.follower()
    tag = api.post("tags/create", {"tag": {"name": "vip"}})["tag"]["id"]
    later = api.post("tags/create", {"tag": {"name": "later"}})["tag"]["id"]
    api.post("menu/create", {"button": [CLICK]})
    ids = {
        name: api.post(
            "menu/addconditional", {"button": [CLICK | {"name": name}], "matchrule": {"tag_id": str(tag_id)}}
        )
        for name, tag_id in (("旧", tag), ("新", tag), ("另", later))
    }

    def seen():
        return api.post("menu/trymatch", {"user_id": openid})["button"][0]["name"]

    assert seen() == "菜单"
    api.post("tags/members/batchtagging", {"openid_list": [openid], "tagid": tag})
    assert seen() == "新"
    api.post("tags/members/batchtagging", {"openid_list": [openid], "tagid": later})
    assert seen() == "另"

    read = api.get("menu/get")
    assert [menu["menuid"] for menu in read["conditionalmenu"]] == [int(ids[name]["menuid"]) for name in "另新旧"]
    assert isinstance(read["menu"]["menuid"], int)
    assert api.post("menu/delconditional", {"menuid": ids["另"]["menuid"]})["errcode"] == 0
    assert api.post("menu/delconditional", {"menuid": ids["另"]["menuid"]})["errcode"] == 65301
    assert api.get("menu/delete")["errcode"] == 0
    assert api.get("menu/get")["errcode"] == 46003
    assert api.post("menu/trymatch", {"user_id": "nobody"})["errcode"] == 65302


def test_conditional_menus_lead_to_three_places_at_most(api):
    api.post("menu/create", {"button": [CLICK]})
    codes = [
        api.post("menu/addconditional", {"button": [view(f"https://{host}.org")], "matchrule": {"tag_id": "2"}}).get(
            "errcode"
        )
        for host in "abcd"
    ]

    assert codes == [None, None, None, 65316]
