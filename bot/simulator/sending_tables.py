"""What the simulator remembers of sending to many: drafts, jobs, who received what, and events still to be pushed."""

SENDING_TABLES = """
CREATE TABLE IF NOT EXISTS captions (  -- of permanent videos
    media_id TEXT PRIMARY KEY, title TEXT NOT NULL, introduction TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS drafts (
    media_id TEXT PRIMARY KEY, account TEXT NOT NULL, articles TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS drafts_by_account ON drafts (account, updated_at);
CREATE TABLE IF NOT EXISTS pages (  -- articles that went out, under their addresses
    page_id TEXT PRIMARY KEY, articles TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS publications (
    publish_id INTEGER PRIMARY KEY, account TEXT NOT NULL, draft_id TEXT NOT NULL, articles TEXT NOT NULL,
    article_id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, due_at REAL NOT NULL, data TEXT NOT NULL,
    published_at INTEGER);
CREATE INDEX IF NOT EXISTS publications_waiting ON publications (due_at) WHERE status = 1;

-- One mass message. What arrives is one item of chat with no openid, and a line of received for each follower.
CREATE TABLE IF NOT EXISTS masses (
    msg_id INTEGER PRIMARY KEY, account TEXT NOT NULL, client_id TEXT NOT NULL, status TEXT NOT NULL,
    type TEXT NOT NULL, scope TEXT NOT NULL,  -- scope: list, tag or all
    recipients TEXT,  -- list: the followers' rowids as JSON until they are served; tag: its id
    content TEXT NOT NULL, draft_id TEXT, plan TEXT NOT NULL, base_url TEXT NOT NULL,
    created_at REAL NOT NULL, due_at REAL NOT NULL, sent_at REAL,
    place INTEGER NOT NULL DEFAULT 0,  -- how far the delivery has come
    item INTEGER, total INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 0,
    deleted TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS masses_by_account ON masses (account, created_at);
CREATE INDEX IF NOT EXISTS masses_by_client_id ON masses (account, client_id, created_at);
CREATE INDEX IF NOT EXISTS masses_waiting ON masses (due_at) WHERE status = 'SENDING';

-- Two numbers for each of a million followers. follower: the rowid, which stays since nothing is ever vacuumed.
CREATE TABLE IF NOT EXISTS received (
    follower INTEGER NOT NULL, item INTEGER NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (follower, item)
    ) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS recent_calls (account TEXT NOT NULL, family TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS recent_calls_by_time ON recent_calls (account, family, at);

CREATE TABLE IF NOT EXISTS templates (
    template_id TEXT PRIMARY KEY, account TEXT NOT NULL, kind INTEGER NOT NULL,  -- 0 message, 2 one-time, 3 long-term
    title TEXT NOT NULL, content TEXT NOT NULL, example TEXT NOT NULL, tid TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS templates_by_account ON templates (account, kind);
CREATE TABLE IF NOT EXISTS template_keys (
    account TEXT NOT NULL, openid TEXT NOT NULL, client_id TEXT NOT NULL, msg_id INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (account, openid, client_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consents (
    account TEXT NOT NULL, openid TEXT NOT NULL, template_id TEXT NOT NULL,
    remaining INTEGER NOT NULL,  -- -1: always
    PRIMARY KEY (account, openid, template_id)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, openid TEXT NOT NULL, event TEXT NOT NULL,
    fields TEXT NOT NULL, due_at REAL NOT NULL, taken INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS events_waiting ON events (taken, due_at);
"""
