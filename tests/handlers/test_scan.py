import pytest


@pytest.mark.parametrize("scene", ["123123", "shop-7", "4294967295", "门店/7?a=b&c"])
def test_answers_a_code(phone, create, account, scene):
    create.rule(account, trigger="scan", keywords=[{"text": scene}], reply="Shop 7")
    create.rule(account, trigger="scan", keywords=[{"text": "other"}], reply="Other")

    assert phone.happen("SCAN", scene, Ticket="TICKET") == "Shop 7"


def test_scenes_are_taken_as_they_are(phone, create, account):
    create.rule(account, trigger="scan", keywords=[{"text": "Shop"}], reply="Shop")

    assert phone.happen("SCAN", "shop") == ""
    assert phone.happen("SCAN", "Shop ") == ""
    assert phone.happen("SCAN", "Shop") == "Shop"


def test_a_scene_is_no_menu_key_and_no_text(phone, create, account):
    create.rule(account, trigger="scan", keywords=[{"text": "A"}], reply="Shop")

    assert phone.happen("CLICK", "A") == ""
    assert phone.say("A") == ""


def test_an_unknown_code_gets_the_default_reply(phone, create, account):
    create.rule(account, trigger="default", reply="Hello")

    assert phone.happen("SCAN", "unknown") == "Hello"


def test_the_rest_of_several_replies_follows_within_the_window_of_three(phone, create, account, sent):
    create.rule(
        account,
        trigger="scan",
        keywords=[{"text": "A"}],
        replies=[{"kind": "text", "text": text} for text in ("1", "2", "3")],
    )

    assert phone.happen("SCAN", "A") == "1"
    assert sent() == ["2", "3"]
