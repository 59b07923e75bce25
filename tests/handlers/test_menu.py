import pytest


def test_answers_a_tap(phone, create, account):
    create.rule(account, trigger="click", keywords=[{"text": "HOURS"}], reply="9 to 5")

    assert phone.happen("CLICK", "HOURS") == "9 to 5"


@pytest.mark.parametrize("event", ["scancode_push", "scancode_waitmsg"])
def test_answers_a_code_scanned_from_the_menu(phone, create, account, event):
    create.rule(account, trigger="click", keywords=[{"text": "rselfmenu_0"}], reply="Thanks")

    scanned = {"ScanType": "qrcode", "ScanResult": "1"}
    assert phone.happen(event, "rselfmenu_0", ScanCodeInfo=scanned) == "Thanks"


@pytest.mark.parametrize("key", ["hours", "HOURS ", "HOUR", "ＨＯＵＲＳ"])
def test_keys_are_taken_as_they_are(phone, create, account, key):
    create.rule(account, trigger="click", keywords=[{"text": "HOURS"}], reply="9 to 5")

    assert phone.happen("CLICK", key) == ""


def test_one_rule_answers_several_keys(phone, create, account):
    create.rule(account, trigger="click", keywords=[{"text": "A"}, {"text": "B"}], reply="Both")

    assert [phone.happen("CLICK", key) for key in "ABC"] == ["Both", "Both", ""]


def test_an_unknown_key_gets_the_default_reply(phone, create, account):
    create.rule(account, trigger="default", reply="Hello")

    assert phone.happen("CLICK", "OLD") == "Hello"


@pytest.mark.parametrize("event", ["VIEW", "view_miniprogram", "pic_sysphoto", "location_select", "LOCATION"])
def test_other_buttons_are_answered_with_silence(phone, create, account, event):
    create.rule(account, trigger="default", reply="Hello")
    create.rule(account, trigger="click", keywords=[{"text": "6"}], reply="Six")

    assert phone.happen(event, "6") == ""


def test_several_articles_show_for_a_tap(phone, create, account):
    articles = [{"title": f"Title {number}", "url": "https://example.org"} for number in range(8)]
    create.rule(account, trigger="click", keywords=[{"text": "NEWS"}], replies=[{"kind": "news", "articles": articles}])

    assert phone.happen("CLICK", "NEWS")["ArticleCount"] == "8"
