"""Access tokens expire, replace each other and are counted, as WeChat's do."""

import pytest


def test_gives_a_token_that_works(sim):
    account = sim.account()

    fetched = sim.fetch_token(account)

    assert fetched["expires_in"] == 7200
    assert sim.api(account, fetched["access_token"]).get("getcallbackip") == {
        "ip_list": ["127.0.0.1", "101.226.103.0/25"]
    }


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": None}, 41002),
        ({"secret": "wrong"}, 40125),
        ({"secret": None}, 41004),
    ],
)
def test_refuses_a_wrong_question(sim, changed, errcode):
    account = sim.account()
    query = {"grant_type": "client_credential", "appid": account["appid"], "secret": account["secret"]}

    assert sim.get("/cgi-bin/token", **(query | changed))["errcode"] == errcode


def test_refuses_an_address_that_is_not_listed_but_only_for_tokens(sim):
    account = sim.account()
    api = sim.api(account)
    sim.account(ip_whitelist=["10.0.0.0/8"])

    refused = sim.fetch_token(account)

    assert refused["errcode"] == 40164
    assert "127.0.0.1" in refused["errmsg"]
    assert "ip_list" in api.get("getcallbackip")


def test_a_replaced_token_works_for_five_minutes(sim):
    account = sim.account()
    old = sim.api(account)
    sim.fetch_token(account)

    sim.advance(290)
    assert "ip_list" in old.get("getcallbackip")
    sim.advance(20)
    assert old.get("getcallbackip")["errcode"] == 40001


def test_tells_expired_from_malformed_and_missing(sim):
    account = sim.account(token_seconds=60)
    api = sim.api(account)
    sim.advance(61)

    assert api.get("getcallbackip")["errcode"] == 42001
    assert sim.api(account, "no!").get("getcallbackip")["errcode"] == 40014
    assert sim.get("/cgi-bin/getcallbackip")["errcode"] == 41001


def test_a_stable_token_stays_and_ignores_the_classic_one(sim):
    account = sim.account()
    first = sim.stable(account)
    sim.fetch_token(account)
    sim.advance(3600)

    again = sim.stable(account)
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] <= 3600

    sim.advance(3400)  # less than five minutes are left
    assert sim.stable(account)["access_token"] != first["access_token"]
    assert "ip_list" in sim.api(account, first["access_token"]).get("getcallbackip")


def test_a_forced_refresh_kills_the_token_and_is_rationed(sim):
    account = sim.account()
    old = sim.stable(account)["access_token"]

    assert sim.stable(account, force_refresh=True)["access_token"] != old
    assert sim.api(account, old).get("getcallbackip")["errcode"] == 40001
    assert sim.stable(account, force_refresh=True)["errcode"] == 45011
    for _ in range(19):
        sim.advance(31)
        assert "access_token" in sim.stable(account, force_refresh=True)
    sim.advance(31)
    assert sim.stable(account, force_refresh=True)["errcode"] in (45009,)


def test_the_wrong_method_is_an_error_in_the_answer(sim):
    account = sim.account()
    api = sim.api(account)

    assert sim.post("/cgi-bin/token")["errcode"] == 43001
    assert sim.get("/cgi-bin/stable_token")["errcode"] == 43002
    assert api.post("user/get", {})["errcode"] == 43001
    assert api.get("menu/create")["errcode"] == 43002


def test_a_day_has_a_quota_and_clear_quota_gives_it_back(sim):
    account = sim.account(daily_limits={"/cgi-bin/user/get": 2})
    api = sim.api(account)

    assert [api.get("user/get").get("errcode") for _ in range(3)] == [None, None, 45009]
    assert api.post("clear_quota", {"appid": account["appid"]})["errcode"] == 0
    assert "errcode" not in api.get("user/get")

    sim.advance(86400)  # the token, too, is of yesterday
    fresh = sim.api(account)
    assert [fresh.get("user/get").get("errcode") for _ in range(3)] == [None, None, 45009]


@pytest.mark.parametrize(
    ("kind", "verified", "menu", "users", "codes"),
    [
        ("subscription", False, 48001, 48001, 48001),
        ("subscription", True, 46003, None, 48001),
        ("service", False, 46003, 48001, 48001),
        ("service", True, 46003, None, 40052),
    ],
)
def test_each_kind_of_account_may_do_its_part(sim, kind, verified, menu, users, codes):
    api = sim.api(sim.account(kind=kind, verified=verified))

    assert api.get("menu/get").get("errcode") == menu
    assert api.get("user/get").get("errcode") == users
    assert api.post("qrcode/create", {"action_name": "?"}).get("errcode") == codes


def test_error_texts_never_repeat_and_types_vary(sim):
    api = sim.api(sim.account())
    answers = [sim.http.get(f"{sim.url}/cgi-bin/menu/get", params={"access_token": api.token}) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["errmsg"] for answer in answers}) == 20
    assert len({answer.headers["Content-Type"] for answer in answers}) > 1
    assert all(" rid: " in answer.json()["errmsg"] for answer in answers)


def test_an_unknown_path_is_an_invalid_url(sim):
    assert sim.get("/cgi-bin/nothing")["errcode"] == 40066
