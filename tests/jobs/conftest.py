import pytest

from models import Follower
from tests.jobs.desk import Desk


@pytest.fixture
def desk(account, sim) -> Desk:
    return Desk(account, sim)


@pytest.fixture
def people(account, sim, create) -> list[Follower]:
    sim.post("followers", account=account.slug, count=8)
    listed = sim.get("followers", account=account.slug)
    return [create.follower(account, openid=each["openid"]) for each in listed]
