import pytest
from sqlalchemy import func, insert, select, text

from bot.database import reading, transaction
from bot.services import campaign_launches
from models import Campaign, Channel, Delivery, DeliveryStatus, Follower


def write(campaign_id: int, ids: list[int]) -> None:
    row = {"campaign_id": campaign_id, "batch": 1, "variant": 0, "status": DeliveryStatus.PENDING, "reason": ""}
    with transaction() as session:
        session.execute(insert(Delivery), [{**row, "follower_id": each} for each in ids])


@pytest.mark.databases
def test_what_an_earlier_launch_wrote_goes_in_pieces_and_nothing_else(create, database_kind):
    """PostgreSQL thinks here that the table is small, as it does after many quick launches: it must not compare each
    row with each, which took minutes while the campaign's row was held."""
    account = create.account()
    with transaction() as session:
        names = [{"account_id": account.id, "openid": f"o{number}", "nickname": ""} for number in range(25_000)]
        session.execute(insert(Follower), names)
        ids = list(session.scalars(select(Follower.id)))
        plan = {"account_id": account.id, "channel": Channel.MASS, "variants": [], "who": ""}
        launched, other = (Campaign(name=name, **plan) for name in ("一", "二"))
        session.add_all([launched, other])
    write(other.id, ids[:100])
    if database_kind == "postgresql":
        with transaction() as session:
            session.execute(text("ANALYZE"))
    write(launched.id, ids)

    turns = []
    while not turns or turns[-1]:
        with transaction() as session:
            if database_kind == "postgresql":
                session.execute(text("SET LOCAL statement_timeout = '15s'"))
            turns.append(campaign_launches.clear(session, launched.id))

    assert turns == [True, True, False]
    with reading() as session:
        left = session.execute(select(Delivery.campaign_id, func.count()).group_by(Delivery.campaign_id)).all()
    assert left == [(other.id, 100)]
