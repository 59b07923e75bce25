"""A large Moments: members, friends in circles, a year of posts, groups, likes, comments; PostgreSQL writes them."""

import time

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.moments import members, stamps
from models import Base, Member

POSTS_EACH, PAIRS_EACH, CIRCLE = 10, 26, 200
VIEWERS = {51: 12, 500: 8, 5_000: 4}  # friends that so many readers have; the first ones are what everybody has
YEAR_MS = 365 * 86_400_000

# :n members, :first and :last the stamps' milliseconds of the year, :step between two posts.
MEMBERS = """INSERT INTO members (id, handle, name, about, password_hash, status, window_days, newonly, takes_requests,
    lets_reshare, stamp, created_at)
SELECT n, 'm' || n, 'Member ' || n, '', '', 'active',
    CASE WHEN random() < .6 THEN NULL ELSE (ARRAY[180, 180, 180, 180, 30, 3])[1 + floor(random() * 6)::int] END,
    random() < .05, true, true, 1, now() - interval '2 years'
FROM generate_series(1, :n) n"""
# Most friends are of one's circle.  The heavy readers' are anybody.
PAIRS = """CREATE UNLOGGED TABLE bench_pairs AS
SELECT DISTINCT least(a, b) AS a, greatest(a, b) AS b FROM (
    SELECT n AS a, CASE WHEN random() < .8
        THEN least(:n, (n - 1) / :circle * :circle + 1 + floor(random() * :circle)::bigint)
        ELSE 1 + floor(random() * :n)::bigint END AS b
    FROM generate_series(1, :n) n, generate_series(1, :pairs)
    UNION ALL
    SELECT h.id, 1 + floor(random() * :n)::bigint FROM bench_heavy h, generate_series(1, 6000) k WHERE k <= h.friends
) found WHERE a <> b"""
EDGES = """WITH made AS (SELECT a, b, ((:first - floor(random() * :year * 2)::bigint + :year) << 12) AS since,
    random() < .015 AS ah, random() < .015 AS bh, random() < .02 AS am, random() < .02 AS bm FROM bench_pairs)
INSERT INTO edges (owner_id, other_id, since, hides, mutes, blocks, hidden_by, blocked_by, remark)
SELECT a, b, since, ah, am, false, bh, false, '' FROM made
UNION ALL SELECT b, a, since, bh, bm, false, ah, false, '' FROM made"""
# A few write most of it; 7919 spreads them over the circles.
POSTS = """INSERT INTO posts (id, author_id, mode, aud_at, body, place, link, root_id, reshare_ok, comments_open,
    is_held, hold_words, is_erased)
SELECT id, author, mode, id, 'What happened on day ' || n, '', '', NULL, mode = 'friends', true, false, '', false FROM (
    SELECT n, ((:first + n::bigint * :step) << 12) + floor(random() * 4096)::bigint AS id,
        floor(:n * power(random(), 3))::bigint * 7919 % :n + 1 AS author,
        CASE WHEN r < .8 THEN 'friends' WHEN r < .84 THEN 'private' WHEN r < .92 THEN 'allow' ELSE 'deny' END AS mode
    FROM (SELECT n, random() AS r FROM generate_series(1, :posts) n) dice) made"""
GROUPS = """INSERT INTO friend_groups (id, owner_id, name, is_deleted)
SELECT n, (n - 1) % :n + 1, 'Group ' || n, random() < .02 FROM generate_series(1, :n * 12 / 10) n"""
IN_GROUPS = """INSERT INTO friend_group_members (group_id, member_id, added, removed)
SELECT g.id, e.other_id, e.since + 4096, CASE WHEN random() < .1 THEN e.since + (86400000::bigint << 16) END
FROM friend_groups g CROSS JOIN LATERAL
    (SELECT other_id, since FROM edges WHERE owner_id = g.owner_id LIMIT 20) e WHERE random() < .4"""
AUDIENCE = """INSERT INTO post_audience (post_id, kind, target_id)
SELECT p.id, p.mode || '_group', p.author_id FROM posts p WHERE p.mode IN ('allow', 'deny') AND p.id % 2 = 0
UNION ALL SELECT p.id, p.mode || '_member', e.other_id FROM posts p CROSS JOIN LATERAL
    (SELECT other_id FROM edges WHERE owner_id = p.author_id LIMIT 5) e
WHERE p.mode IN ('allow', 'deny') AND p.id % 2 = 1"""
LIKES = """INSERT INTO likes (post_id, member_id, at)
SELECT p.id, e.other_id, p.id + (floor(random() * 86400000)::bigint << 12) FROM posts p CROSS JOIN LATERAL
    (SELECT other_id FROM edges WHERE owner_id = p.author_id OFFSET p.id % 20 LIMIT 6) e WHERE random() < .5"""
COMMENTS = """INSERT INTO comments (id, post_id, member_id, reply_to, body, removed_by_author, hold_words)
SELECT p.id + (1 + floor(random() * 86400000)::bigint << 12), p.id, e.other_id, NULL, 'Well said', false, ''
FROM posts p CROSS JOIN LATERAL
    (SELECT other_id FROM edges WHERE owner_id = p.author_id OFFSET p.id % 23 LIMIT 3) e WHERE random() < .5
ON CONFLICT DO NOTHING"""
# The rival: what a fan-out would have pushed to these readers, newest 1,000 kept.
INBOX = """CREATE TABLE bench_inbox AS SELECT h.id AS viewer, p.id AS post FROM bench_heavy h CROSS JOIN LATERAL
    (SELECT p.id FROM posts p WHERE p.mode <> 'private' AND (p.author_id = h.id OR EXISTS (
        SELECT 1 FROM edges e WHERE e.owner_id = h.id AND e.other_id = p.author_id AND NOT e.mutes))
     ORDER BY p.id DESC LIMIT 1000) p"""


def fill(engine: Engine, count: int) -> dict[int, list[str]]:
    """Write it into an empty database; friends → the tokens of readers who have so many."""
    Base.metadata.create_all(engine)
    now = stamps.now() >> 12
    values = {
        "n": count, "posts": count * POSTS_EACH, "pairs": PAIRS_EACH, "circle": CIRCLE, "year": YEAR_MS,
        "first": now - YEAR_MS, "step": YEAR_MS // (count * POSTS_EACH + 1),
    }  # fmt: skip
    heavy = {friends: [at * 211 + shift for at in range(1, many + 1)]
             for shift, (friends, many) in enumerate(VIEWERS.items())}  # fmt: skip
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        connection.execute(text("SELECT setseed(.5)"))
        connection.execute(text("CREATE TABLE bench_heavy (id bigint, friends bigint)"))
        for friends, ids in heavy.items():
            rows = [{"id": each, "friends": friends if friends > 51 else 0} for each in ids]
            connection.execute(text("INSERT INTO bench_heavy VALUES (:id, :friends)"), rows)
        for statement in (MEMBERS, PAIRS, EDGES, POSTS, GROUPS, IN_GROUPS, AUDIENCE, LIKES, COMMENTS, INBOX):
            began = time.monotonic()
            made = connection.execute(text(statement), values).rowcount
            print(f"{statement.split('(')[0].strip()[:60]:60} {made:>12,} rows {time.monotonic() - began:6.1f} s")
        connection.execute(text("CREATE INDEX ON bench_inbox (viewer, post DESC)"))
        for table in ("members", "friend_groups", "friend_group_members"):
            connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    with Session(engine) as session:
        tokens = {
            friends: [members.make_token(session, session.get_one(Member, each), "", ["all"])[1] for each in ids]
            for friends, ids in heavy.items()
        }
        session.commit()
    return tokens
