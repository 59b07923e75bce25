"""Who may import whom (README, "The map"): the folder tells the role, and roles depend one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = ("bot.settings", "bot.clock", "bot.fault_points")  # the time, what we were told, where tests kill us

# Each service builds only on those before it.
SERVICES = [
    "vault",
    "audit",
    "folding",
    "bigrams",
    "moderation",
    "tallies",
    "matching",
    "zones",
    "opening_hours",
    "accounts",
    "leadership",
    "tasks",
    "tokens",
    "media_uploads",
    "passwords",
    "operators",
    "access",
    "second_factor",
    "api_tokens",
    "follower_events",
    "name_search",
    "segment_uses",
    "stages",
    "fields",
    "followers",
    "notes",
    "journal",
    "sends",
    "conversation_states",
    "conversations",
    "conversation_times",
    "conversation_queues",
    "report_numbers",
    "report_counts",
    "inbox_reports",
    "assignments",
    "labels",
    "canned_replies",
    "drafts",
    "mentions",
    "presence",
    "inbox_feed",
    "conversation_bulk",
    "messages",
    "message_search",
    "timeline",
    "rule_difference",
    "rule_versions",
    "rule_books",
    "rules",
    "rule_lint",
    "rule_trial",
    "segment_queries",
    "menu_buttons",
    "menu_sets",
    "menu_conditions",
    "menus",
    "menu_audience",
    "menu_clicks",
    "menu_replies",
    "segment_conditions",
    "segment_things",
    "segment_words",
    "segment_sql",
    "segments",
    "campaign_schedule",
    "takeover",
    "abilities",
    "assistant",
    "assistant_limits",
    "assistant_words",
    "knowledge",
    "assistant_prompt",
    "assistant_links",
    "assistant_answers",
    "assistant_work",
    "campaign_schedule",
    "campaign_contents",
    "campaign_links",
    "campaign_audience",
    "campaigns",
    "campaign_ledger",
    "campaign_control",
    "campaign_launches",
    "campaign_reports",
    "campaign_forecast",
    "campaign_calendar",
    "campaign_progress",
    "campaign_review",
    "campaign_tests",
    "campaign_clicks",
    "campaign_outcomes",
    "proportions",
    "campaign_results",
    "tag_pushes",
    "tags",
    "blocklist",
    "auto_tags",
    "takeovers",
    "follower_sync",
    "checks",
    "account_health",
    "health",
]

# Of Moments the same; what a list of them may be built on comes before it.  The folder of media is built on none.
MOMENTS = [
    "stamps",
    "addresses",
    "visibility",
    "reasons",
    "notices",
    "members",
    "wechat_links",
    "groups",
    "limits",
    "friends",
    "audiences",
    "web_pages",
    "link_cards",
    "posts",
    "scheduled",
    "reactions",
    "reports",
    "moderation",
    "feed",
    "sight",
    "codes",
    "cards",
]

DOORS = ("bot.services", "models", "bot.database", "bot.errors", "bot.wechat", "bot.queue")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "models": ("models",),
    "bot/wechat": ("bot.wechat",),
    "bot/services": ("bot.services", "models", "bot.wechat", "bot.queue", "bot.errors", "bot.database"),
    "handlers": ("handlers", "bot.services", "models", "bot.wechat.messages", "bot.wechat.limits"),
    # The operators' doors to a neighbour.
    "bot/console/moments.py": ("bot.console", "bot.moments", *DOORS),
    "bot/api/moments.py": ("bot.api", "bot.moments", *DOORS),
    "bot/console": ("bot.console", "bot.safety", *DOORS),
    "bot/safety.py": (),
    "bot/api": ("bot.api", "bot.json_api", "bot.openapi", *DOORS),
    "bot/json_api.py": ("bot.errors",),
    "bot/openapi.py": ("bot.json_api",),
    "bot/jobs": ("bot.jobs", "bot.moments", "bot.fetching", "bot.models_api", *DOORS),
    "bot/models_api.py": (),
    "bot/waiting.py": DOORS,
    "bot/standin": ("bot.standin",),  # a model knows us over HTTP only
    # An upload's row, its files and its row again: they own their transactions, as decoding stands between them.
    "bot/moments/media": ("bot.moments.media", "models", "bot.database", "bot.errors"),
    "bot/moments/api": (
        "bot.moments",
        "models",
        "bot.database",
        "bot.errors",
        "bot.json_api",
        "bot.openapi",
        "bot.services.passwords",
        "bot.follower_sign_in",
    ),
    "bot/moments/pages": (
        "bot.moments",
        "bot.safety",
        "models",
        "bot.database",
        "bot.errors",
        "bot.services.passwords",
        "bot.follower_sign_in",
    ),
    "bot/moments": (
        "bot.moments",
        "models",
        "bot.errors",
        "bot.queue",
        "bot.services.passwords",
    ),  # a neighbour of the account side
    "bot/follower_sign_in.py": ("bot.moments", *DOORS),  # where the two sides meet, for one question
    "bot/pages": ("bot.pages", *DOORS),
    "bot/webhook.py": ("handlers", "bot.waiting", *DOORS),
    "bot/health.py": DOORS,
    "bot/queue.py": ("bot.redis_server",),
    "bot/fetching.py": (),  # the way out to addresses that people typed; it knows nothing that it could give away
    "bot/database.py": ("bot.queue",),
    "bot/simulator": ("bot.simulator",),  # it knows us over HTTP only, so it cannot cheat
}
# Some services run their own short transactions: a network call stands between them (tokens), they must report a
# database that does not answer (health), or a thread of theirs looks for what is new (rule_books).
OWN_TRANSACTIONS = {
    "bot/services/rule_books.py",
    "bot/services/tokens.py",
    "bot/services/health.py",
    "bot/services/account_health.py",
}


def sources() -> list[str]:
    folders = ("bot", "handlers", "models")
    return [str(path.relative_to(ROOT)) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imports(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write the whole name"
            assert node.module
            # "from bot import clock" is about bot.clock, "from bot.clock import now" too
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from whole if node.module in ("bot", "bot.services", "bot.wechat", "bot.moments") else {node.module}


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("path", sources())
def test_imports_only_what_its_folder_may(path: str) -> None:
    allowed = next((may for folder, may in MAY_IMPORT.items() if path.startswith(folder)), None)
    for name in imports(path):
        if name.partition(".")[0] == "wechatpy":
            assert path.startswith("bot/wechat/"), f"{path}: wechatpy stays behind bot/wechat"
        if allowed is None or name.partition(".")[0] not in ("bot", "handlers", "models"):
            continue
        assert within(name, (*allowed, *LEAVES)), f"{path} may not import {name}"
        if path.startswith("bot/services/") and name == "bot.database":
            assert path in OWN_TRANSACTIONS, f"{path}: the door owns the transaction"


def test_each_service_builds_on_those_before_it() -> None:
    found = {Path(path).stem for path in sources() if path.startswith("bot/services/")} - {"__init__"}
    assert found == set(SERVICES)
    for place, service in enumerate(SERVICES):
        for name in imports(f"bot/services/{service}.py"):
            if name.startswith("bot.services."):
                assert name.split(".")[2] in SERVICES[:place], f"{service} may not build on {name}"


def test_each_part_of_moments_builds_on_those_before_it() -> None:
    found = {Path(path).stem for path in sources() if Path(path).parent == Path("bot/moments")} - {"__init__"}
    assert found == set(MOMENTS)
    for place, part in enumerate(MOMENTS):
        for name in imports(f"bot/moments/{part}.py"):
            if name.startswith("bot.moments."):
                assert name.split(".")[2] in ("media", *MOMENTS[:place]), f"{part} may not build on {name}"


def test_no_file_is_long() -> None:
    tests = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")]
    assert [path for path in sources() + tests if len((ROOT / path).read_text().splitlines()) > 400] == []
