"""The referee's ledger: each follower's receipts counted, whichever way they came."""

import pytest

from .conftest import Sim

MANY = 25_000  # more than one chunk of a delivery


@pytest.fixture
def api(sim: Sim):
    return sim.api(sim.account(mass_a_minute=0))


def receipts(sim, contains, kind=""):
    return sim.get("/sim/receipts", account="tea", contains=contains, kind=kind)


def lines(sim, contains, **more):
    query = {"account": "tea", "contains": contains} | more
    text = sim.http.get(f"{sim.url}/sim/receipts/lines", params=query, timeout=30).text
    return dict(line.split() for line in text.splitlines())


def to_all(content, **more):
    return {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": content}} | more


def test_every_way_of_receiving_counts(sim, api):
    mei, li, wang = (sim.follower(name=name) for name in ("mei", "li", "wang"))
    sim.say(mei, "my own words: [c1]")
    api.send(mei, "hello [c1]")
    api.post("message/mass/sendall", to_all("all [c1]"))
    sim.settle()

    told = receipts(sim, "[c1]")
    assert (told["followers"], told["never"], told["once"], told["more"], told["receipts"]) == (3, 0, 2, 1, 4)
    assert told["twice"] == [{"openid": mei, "times": 2}]
    assert receipts(sim, "[c1]", "mass")["times"] == {"1": 3}
    assert receipts(sim, "[c1]", "customer")["never"] == 2
    assert receipts(sim, "[c2]")["never"] == 3
    assert lines(sim, "[c1]") == {mei: "2", li: "1", wang: "1"}
    assert lines(sim, "[c1]", at_least=2) == {mei: "2"}
    assert lines(sim, "[c2]", at_least=0, at_most=0) == {mei: "0", li: "0", wang: "0"}
    assert sim.get("/sim/ledger", account="tea")["followers"][mei] == {"customer": 1, "mass": 1}


def test_finds_words_that_json_writes_otherwise(sim, api):
    sim.follower()
    api.post("message/mass/sendall", to_all('a "quoted"\nline'))
    sim.settle()

    assert receipts(sim, '"quoted"\nline')["once"] == 1


def test_a_large_account_is_served_in_pieces(sim, api):
    tag_id = api.post("tags/create", {"tag": {"name": "many"}})["tag"]["id"]
    assert sim.post("/sim/followers", account="tea", count=MANY, tag_id=tag_id) == {"count": MANY}
    sim.follower(name="untagged")

    api.post("message/mass/sendall", to_all("to all"))
    api.post("message/mass/sendall", to_all("to the tag") | {"filter": {"is_to_all": False, "tag_id": tag_id}})

    sim.advance(600)
    sim.settle()
    assert receipts(sim, "to all")["times"] == {"1": MANY + 1}
    assert receipts(sim, "to the tag")["times"] == {"1": MANY}
    assert [job["total"] for job in sim.get("/sim/jobs", account="tea")["masses"]] == [MANY + 1, MANY]
    page = sim.api(sim.account()).get("user/get")
    assert page["total"] == MANY + 1
    assert len({*page["data"]["openid"]}) == 10_000
    assert page["data"]["openid"] != sorted(page["data"]["openid"])


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"count": 1_000_001}, "count"),
        ({"count": 5, "tag_id": 77}, "no tag 77"),
        ({"name": "mei", "tag_id": 2}, "goes with count"),
    ],
)
def test_refuses_followers_it_cannot_make(sim, api, body, word):
    assert word in sim.post("/sim/followers", account="tea", **body)["error"]


def test_refuses_templates_and_consents_that_cannot_be(sim, api):
    openid = sim.follower()
    for _ in range(25):
        sim.post("/sim/templates", account="tea", title="T", content="{{thing1.DATA}}")

    assert "as many templates" in sim.post("/sim/templates", account="tea", title="T", content="x")["error"]
    assert "no such template" in sim.post("/sim/consents", account="tea", openid=openid, template_id="x")["error"]
    assert "no follower" in sim.post("/sim/consents", account="tea", openid="x", template_id="x")["error"]
