"""The settings' section "Customer service": a line for each day, without script."""

from bot.database import reading
from models import Account, Assigning


def saved(slug: str) -> Account:
    with reading() as session:
        return session.query(Account).filter_by(slug=slug).one()


FORM = {
    "hours": "some",
    "hours_mon": "9:00-12:00，13:30-18:00", "holidays": "2026-10-01\n2026-10-02",
    "workdays": "2026-10-10 09:00-18:00",
    "assigning": "round_robin", "desk": "lobby", "offline_minutes": "15", "away_reply": "明天见：{{opens}}",
}  # fmt: skip


def test_hours_are_saved_and_shown_again(browser, house):
    assert browser.send("/tea-house/settings", **FORM).status_code == 302

    kept = saved("tea-house")
    assert kept.opening_hours == {
        "days": {"mon": [["09:00", "12:00"], ["13:30", "18:00"]]},
        "holidays": ["2026-10-01", "2026-10-02"],
        "workdays": {"2026-10-10": [["09:00", "18:00"]]},
    }
    assert (kept.assigning, kept.offline_minutes, kept.away_reply) == (Assigning.ROUND_ROBIN, 15, "明天见：{{opens}}")
    page = browser.open("/tea-house/settings").text
    assert 'value="09:00-12:00, 13:30-18:00"' in page
    assert "2026-10-10 09:00-18:00" in page


def test_what_is_not_understood_is_told_at_its_line_and_kept(browser, house):
    wrong = browser.send("/tea-house/settings", **{**FORM, "hours_mon": "nine to five"})

    assert wrong.status_code == 422
    assert "Write hours as 09:00-18:00" in wrong.text
    assert "nine to five" in wrong.text
    assert saved("tea-house").opening_hours == {}


def test_always_open_clears_them(browser, house):
    browser.send("/tea-house/settings", **FORM)
    browser.send("/tea-house/settings", **{**FORM, "hours": "always"})

    assert saved("tea-house").opening_hours == {}
