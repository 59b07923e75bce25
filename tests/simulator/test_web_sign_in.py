"""WeChat's web sign-in in the simulator: never kinder than WeChat."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest

BACK = "http://front.example:8000/back?from=menu"


@pytest.fixture
def tea(sim):
    return sim.account(web_domain="front.example")


def address(account, **changes):
    given = {"appid": account["appid"], "redirect_uri": quote(BACK, safe=""), "response_type": "code"}
    given |= {"scope": "snsapi_userinfo", "state": "abc123", **changes}
    return "/connect/oauth2/authorize?" + "&".join(f"{name}={value}" for name, value in given.items() if value)


def decide(sim, account, openid, decision="allow", **changes):
    return sim.http.post(
        sim.url + address(account, **changes), data={"openid": openid, "decision": decision}, allow_redirects=False
    )


def code_of(sim, account, openid, **changes):
    return parse_qs(urlsplit(decide(sim, account, openid, **changes).headers["Location"]).query)["code"][0]


def exchange(sim, account, code, **changes):
    query = {"appid": account["appid"], "secret": account["secret"], "code": code, "grant_type": "authorization_code"}
    query |= changes
    return sim.get("/sns/oauth2/access_token", **{name: value for name, value in query.items() if value})


def test_leads_back_with_a_code_and_the_state_and_tells_the_name(sim, tea):
    openid = sim.follower()
    asked = sim.http.get(sim.url + address(tea))
    assert "front.example" in asked.text
    assert openid in asked.text
    assert "form-action 'self' http://front.example:8000" in asked.headers["Content-Security-Policy"]
    back = decide(sim, tea, openid)
    assert back.status_code == 302
    came = parse_qs(urlsplit(back.headers["Location"]).query)
    assert (came["from"], came["state"]) == (["menu"], ["abc123"])

    told = exchange(sim, tea, came["code"][0])
    assert (told["openid"], told["scope"]) == (openid, "snsapi_userinfo")
    person = sim.get("/sns/userinfo", access_token=told["access_token"], openid=openid, lang="zh_CN")
    assert (person["nickname"], person["city"]) == ("mei", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"redirect_uri": quote("https://evil.example/back", safe="")}, "10003"),
        ({"redirect_uri": quote("http://front.example.evil.example/", safe="")}, "10003"),
        ({"redirect_uri": quote("javascript://front.example/", safe="")}, "10003"),
        ({"appid": "wx0000000000000000"}, "10013"),
        ({"scope": "snsapi_login"}, "10005"),
        ({"state": "a-b"}, "state"),
        ({"response_type": "token"}, "response_type"),
    ],
)
def test_shows_no_consent_page(sim, tea, changes, said):
    openid = sim.follower()
    assert said in sim.http.get(sim.url + address(tea, **changes)).text
    answer = decide(sim, tea, openid, **changes)
    assert (answer.status_code, "Location" in answer.headers) == (200, False)


def test_looks_at_the_order_of_the_parameters_and_at_who_asks(sim, tea):
    first, _, rest = address(tea).partition("?")[2].partition("&")
    assert "in this order" in sim.http.get(f"{sim.url}/connect/oauth2/authorize?{rest}&{first}").text
    for place, change in enumerate(({"kind": "subscription"}, {"verified": False})):
        other = sim.account(f"other{place}", web_domain="front.example", **change)
        assert "10005" in sim.http.get(sim.url + address(other)).text
    nowhere = sim.account("nowhere")
    assert "10003" in sim.http.get(sim.url + address(nowhere)).text


def test_who_refuses_goes_back_without_a_code(sim, tea):
    came = parse_qs(urlsplit(decide(sim, tea, sim.follower(), "refuse").headers["Location"]).query)
    assert ("code" in came, came["state"]) == (False, ["abc123"])


def test_a_code_is_good_once_for_five_minutes_and_for_its_account(sim, tea):
    openid = sim.follower()
    other = sim.account("other")
    code = code_of(sim, tea, openid)
    assert exchange(sim, other, code)["errcode"] == 40029
    assert exchange(sim, tea, "made-up")["errcode"] == 40029
    assert exchange(sim, tea, "")["errcode"] == 41008
    assert exchange(sim, tea, code, secret="wrong")["errcode"] == 40125
    assert exchange(sim, tea, code, grant_type="client_credential")["errcode"] == 40002
    assert "errcode" not in exchange(sim, tea, code)
    assert exchange(sim, tea, code)["errcode"] == 40163

    late = code_of(sim, tea, openid)
    sim.advance(300)
    assert exchange(sim, tea, late)["errcode"] == 42003


def test_its_token_is_for_one_person_and_not_the_accounts(sim, tea):
    openid, other = sim.follower(), sim.follower(name="lan")
    token = exchange(sim, tea, code_of(sim, tea, openid))["access_token"]
    assert sim.get("/sns/userinfo", access_token=token, openid=other)["errcode"] == 40003
    assert sim.get("/cgi-bin/user/info", access_token=token, openid=openid)["errcode"] == 40014
    accounts = sim.fetch_token(tea)["access_token"]
    assert sim.get("/sns/userinfo", access_token=accounts, openid=openid)["errcode"] == 40001
    silent = exchange(sim, tea, code_of(sim, tea, openid, scope="snsapi_base"))
    assert sim.get("/sns/userinfo", access_token=silent["access_token"], openid=openid)["errcode"] == 48001
    sim.advance(7200)
    assert sim.get("/sns/userinfo", access_token=token, openid=openid)["errcode"] == 42001
