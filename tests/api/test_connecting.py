"""A program connects an account as an operator does."""

import pytest

from tests.flows.test_connecting import MENU, REPLIES


@pytest.fixture
def account(create, sim, live):
    account = create.account("shop", title="小店")
    sim.connect(account, live)
    sim.post("accounts", account="shop", callback_url="")
    sim.post("autoreplies", account="shop", **REPLIES)
    sim.post("menus", account="shop", button=MENU)
    return account


def test_reads_approves_and_restores(account, api, work):
    path = "/accounts/shop/takeovers"
    assert api.get(path).json == {"items": []}
    task = api.post(path)
    assert task.status_code == 202
    work()
    assert api.get(f"/accounts/shop/tasks/{task.json['id']}").json["status"] == "done"
    (read,) = api.get(path).json["items"]
    assert (read["status"], read["publishes"], read["autoreply"]) == ("read", True, REPLIES)
    assert len(read["rules"]) == 14
    assert any("客服" in note["sentence"] for note in read["collisions"])

    for _press in range(2):
        assert api.post(f"{path}/{read['id']}/approve").json["status"] == "approved"
    work()
    assert len(api.get("/accounts/shop/rules").json["items"]) == 14
    (version,) = api.get("/accounts/shop/menu/versions").json["items"]
    assert version["outcome"] == "published"
    assert version["who"].startswith("token ")
    assert api.get(f"/accounts/shop/menu/versions/{version['id']}").json["changes"] == []
    assert api.post(path).status_code == 409

    for _press in range(2):
        assert api.post(f"{path}/{read['id']}/restore").json["status"] == "restored"
    assert api.get("/accounts/shop/rules").json["items"] == []
    assert api.post(f"/accounts/shop/menu/versions/{version['id']}/roll-back").status_code == 202


def test_checks_the_connection_and_tells_what_it_may_do(account, api, work):
    assert api.get("/accounts/shop/connection").json == {"task": None, "items": []}
    api.post("/accounts/shop/connection")
    work()
    found = api.get("/accounts/shop/connection").json
    assert found["task"]["status"] == "done"
    assert {each["name"]: each["state"] for each in found["items"]}["Access token"] == "ok"

    api.patch("/accounts/shop", {"kind": "subscription", "is_verified": False})
    may = {each["name"]: each for each in api.get("/accounts/shop/abilities").json["items"]}
    assert (may["answer"]["may"], may["set_menu"]["may"]) == ("yes", "no")
    assert "verified" in may["set_menu"]["why"]
