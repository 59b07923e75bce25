"""The pace: what a late claim may make up for, and what it may not."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.services import campaign_ledger

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.mark.parametrize(("next_in", "begins_in"), [(0.3, 0.3), (0, 0), (-0.4, -0.4), (-1.5, 0), (-3600, 0)])
def test_a_little_lateness_is_made_up_for_and_a_break_is_not(next_in, begins_in):
    begins = campaign_ledger.begins(NOW + timedelta(seconds=next_in), NOW)

    assert (begins - NOW).total_seconds() == pytest.approx(begins_in)


def test_the_first_begins_at_once():
    assert campaign_ledger.begins(None, NOW) == NOW
