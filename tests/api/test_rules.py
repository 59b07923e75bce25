import pytest

DRAFT = {"keywords": [{"text": "price"}], "replies": [{"kind": "text", "text": "From 99 yuan"}]}


@pytest.fixture
def path(create):
    return f"/accounts/{create.account().slug}/rules"


def test_a_rule_from_making_to_deleting(api, path):
    made = api.post(path, DRAFT)
    assert made.status_code == 201, made.json
    rule = made.json
    assert (rule["title"], rule["is_enabled"], rule["position"]) == ("price", True, 1)
    one = f"{path}/{rule['id']}"

    assert api.get(one).json == rule
    changed = api.put(one, {**DRAFT, "title": "Prices", "reply_mode": "random"}).json
    assert (changed["title"], changed["reply_mode"], changed["position"]) == ("Prices", "random", 1)
    assert api.patch(one, {"is_enabled": False}).json["is_enabled"] is False
    second = api.post(path, DRAFT).json
    assert api.patch(f"{path}/{second['id']}", {"position": 1}).json["position"] == 1
    assert [each["id"] for each in api.get(path).json["items"]] == [second["id"], rule["id"]]

    gone = api.delete(one)
    assert (gone.status_code, gone.data) == (204, b"")
    assert api.get(one).status_code == 404


def test_lists_in_pages(api, path):
    made = [api.post(path, DRAFT).json["id"] for _ in range(5)]

    first = api.get(f"{path}?limit=2").json
    second = api.get(f"{path}?limit=2&after={first['next']}").json
    third = api.get(f"{path}?limit=2&after={second['next']}").json

    assert [rule["id"] for page in (first, second, third) for rule in page["items"]] == made
    assert third["next"] is None


def test_explains_which_rule_answers(api, path):
    rule = api.post(path, DRAFT).json
    api.post(path, DRAFT)

    told = api.post(f"{path}/explain", {"text": "Price"}).json

    assert told["rule_id"] == rule["id"]
    assert [step["fired"] for step in told["steps"]] == [True, False]
    assert told["steps"][1]["why"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"keywords": []}, "keywords"),
        ({"replies": []}, "replies"),
        ({"replies": [{"kind": "text", "text": ""}]}, "replies.0.text"),
        ({"replies": [{"kind": "text"}]}, "replies.0.text"),
        ({"replies": [{"kind": "poem"}]}, "replies.0"),
        ({"keywords": [{"mode": "regex", "text": "("}]}, "keywords.0.text"),
        ({"time_from": "25:00"}, "time_from"),
        ({"tag_id": 10**30}, ""),
        ({"tag_id": 10**6}, "tag_id"),
        ({"title": "a\0b"}, ""),
        ({"account_id": 2}, "account_id"),
        ({"status": "x"}, "status"),
        ({"is_admin": True}, "is_admin"),
    ],
)
def test_t24_what_is_wrong_or_unknown_is_refused_by_name(api, path, change, field):
    answer = api.post(path, {**DRAFT, **change})

    assert answer.status_code == 422, answer.json
    assert answer.json["error"]["code"] == "invalid"
    assert answer.json["error"]["message"]
    assert answer.json["error"]["field"] == (field or None)
    assert api.get(path).json["items"] == []


def test_a_put_with_a_foreign_account_id_changes_nothing(api, path):
    rule = api.post(path, DRAFT).json

    assert api.put(f"{path}/{rule['id']}", {**DRAFT, "title": "x", "account_id": 2}).status_code == 422
    assert api.get(f"{path}/{rule['id']}").json == rule


def test_a_draft_is_published_compared_and_taken_back(api, path):
    rule = api.post(path, DRAFT).json
    one = f"{path}/{rule['id']}"
    changed = {**DRAFT, "replies": [{"kind": "text", "text": "From 89 yuan"}]}
    assert api.put(f"{one}?draft=true", changed).status_code == 200

    difference = api.get(f"{path}/difference").json
    assert (difference["size"], difference["changed"][0]["fields"]) == (1, ["replies"])
    assert api.post(f"{path}/versions", {}).json["error"]["field"] == "name"
    made = api.post(f"{path}/versions", {"name": "sale"}).json["version"]
    assert (made["number"], made["summary"]["changed"]) == (2, 1)
    assert api.get(f"{path}/difference").json["size"] == 0
    assert api.post(f"{path}/versions/1/restore").json["version"]["summary"]["restored"] == 1
    assert api.get(one).json["replies"] == DRAFT["replies"]
    assert [each["number"] for each in api.get(f"{path}/versions").json["items"]] == [3, 2, 1]


def test_who_began_from_an_older_revision_is_told(api, path):
    rule = api.post(path, DRAFT).json
    one = f"{path}/{rule['id']}"
    assert api.put(one, {**DRAFT, "revision": rule["revision"]}).status_code == 200

    late = api.put(one, {**DRAFT, "title": "late", "revision": rule["revision"]})

    assert (late.status_code, late.json["error"]["code"]) == (409, "conflict")
    assert api.get(one).json["title"] == "price"


def test_lint_names_the_rule_that_never_answers(api, path):
    first, second = api.post(path, DRAFT).json, api.post(path, DRAFT).json

    [found] = api.get(f"{path}/lint").json["items"]

    assert (found["rule_id"], found["other_id"], found["level"]) == (second["id"], first["id"], "bad")
