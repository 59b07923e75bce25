"""Issue 6, "Speed", on the tenth: what no noise touches is asserted, the rest printed (pytest -n0 -m bench -s)."""

import pytest

from benchmarks import feed
from benchmarks.feed import TO_REACH


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_page_touches_little_and_a_post_is_one_row(database_url, tmp_path, unlimited, capsys):
    found = feed.run(tmp_path, 20_000, 60)
    with capsys.disabled():
        feed.report(found)
    for friends, (_ratio, _p99, most) in TO_REACH.items():
        assert found["pages"][friends]["all_buffers"] < most * 1.5  # with reactions, names and photos
        assert found["pages"][friends]["buffers"] < most
        assert found["pages"][friends]["posts"] == 20
    assert found["publish"]["rows"] == {"posts": 1.0}
    assert found["publish"]["bytes"] < 300
