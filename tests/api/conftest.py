import pytest

from bot.database import transaction
from bot.services import api_tokens


class Api:
    """A program that calls the API with one token."""

    def __init__(self, client, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, json=None, **options):
        headers = {**self.headers, **options.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers=headers, **options)

    def get(self, path: str, **options):
        return self("GET", path, **options)

    def post(self, path: str, json=None, **options):
        return self("POST", path, json={} if json is None else json, **options)

    def put(self, path: str, json):
        return self("PUT", path, json=json)

    def patch(self, path: str, json):
        return self("PATCH", path, json=json)

    def delete(self, path: str):
        return self("DELETE", path)


@pytest.fixture
def token():
    """Make a token: token(account=None, "rules:read", …)."""

    def token(account=None, *scopes: str) -> str:
        with transaction() as session:
            return api_tokens.create(session, account=account, name="test", scopes=list(scopes) or ["all"])

    return token


@pytest.fixture
def api(client, token, redis) -> Api:
    """With a token that may do everything."""
    return Api(client, token())


@pytest.fixture
def api_as(client, token, redis):
    """With a token for one account, or for some scopes."""
    return lambda account=None, *scopes: Api(client, token(account, *scopes))
