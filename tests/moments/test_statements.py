"""The shape of the statements that decide who sees what."""

import re

import pytest

from bot.moments import visibility


@pytest.mark.parametrize(
    "statement",
    [
        visibility.posts(),
        visibility.posts(muted=False),
        visibility.roots(),
        visibility.likes(),
        visibility.comments(),
        visibility.media(),
        visibility.viewers(),
        visibility.are_friends(),
        visibility.friends_of_viewer(),
    ],
    ids=["posts", "unmuted", "roots", "likes", "comments", "media", "viewers", "are_friends", "friends_of_viewer"],
)
def test_no_part_asks_about_a_table_that_is_not_joined(statement):
    """A condition two levels deep that is not tied to the outer post asks about any post: it once let people see."""
    for tables in re.findall(r"FROM (.*?)\s*(?:WHERE|ORDER|UNION|\))", str(statement), re.DOTALL):
        assert "," not in tables


@pytest.mark.databases
def test_of_a_member_of_ten_years_all_posts_may_be_asked_at_once(session):
    """As the export does: what makes short lists alike long must not make these too long for the database."""
    ids = list(range(1, 40_001))
    assert session.scalars(visibility.posts(), visibility.by(1, ids=ids)).all() == []
