from bot.services.menu_buttons import difference, differences

MENU = [
    {"name": "价格", "type": "click", "key": "PRICE"},
    {"name": "More", "sub_button": [{"name": "Site", "type": "view", "url": "https://example.com/"}]},
]


def conditional(menu_id, title="", tag="100", buttons=MENU):
    return {"id": menu_id, "title": title, "matchrule": {"tag_id": tag}, "buttons": buttons}


def test_the_difference_names_each_button():
    was, now = MENU, [MENU[0] | {"key": "NEW"}, {"name": "More", "sub_button": []}, {"name": "x"}]
    changes = [(each.kind, each.place) for each in difference(was, now)]
    assert changes == [("changed", "1"), ("removed", "2.1"), ("added", "3")]
    assert difference(was, was) == []


def test_the_difference_of_two_sets_names_each_menu():
    was = [conditional(1), conditional(2), conditional(3), conditional(4)]
    now = [conditional(5), conditional(1, tag="101"), conditional(3, "vip", buttons=MENU[:1]), conditional(2)]

    found = differences(MENU, was, MENU[:1], now)

    told = [(each.menu and each.menu["id"], each.kind, each.is_for_others, each.is_moved) for each in found]
    assert told == [
        (None, "changed", False, False),
        (5, "added", False, False),
        (1, "changed", True, False),
        (3, "changed", False, True),
        (2, "changed", False, True),
        (4, "removed", False, False),
    ]
    assert [change.place for change in found[3].changes] == ["2", "2.1"]
    assert differences(MENU, was, MENU, was) == []
