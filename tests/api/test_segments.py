"""T24 for conditions: what is not in the list is refused at every depth, and nothing is kept."""

import pytest
from sqlalchemy import select

from models import Segment

FOLLOWS = {"field": "follows", "op": "is", "value": True}


@pytest.mark.parametrize(
    "conditions",
    [
        FOLLOWS | {"account_id": 2},
        {"all": [FOLLOWS], "any": [FOLLOWS]},
        {"all": [FOLLOWS], "role": "owner"},
        {"not": FOLLOWS, "is_admin": True},
        {"all": [{"any": [{"not": FOLLOWS | {"status": "x"}}]}]},
        {"all": [{"any": [{"all": [FOLLOWS], "id": 1}]}]},
        {"all": [{"field": "follows", "op": "is", "value": {"select": 1}}]},
        {"all": []},
        {},
        [FOLLOWS],
    ],
)
def test_t24_extra_keys_are_refused_at_every_depth(api, create, conditions) -> None:
    account = create.account()
    create.session.commit()
    for path in ("", "/try"):
        body = {"conditions": conditions} | ({} if path else {"name": "x"})
        answer = api.post(f"/accounts/{account.slug}/segments{path}", body)
        assert answer.status_code == 422
        assert answer.json["error"]["field"].startswith("conditions")
    assert create.session.scalars(select(Segment)).all() == []
