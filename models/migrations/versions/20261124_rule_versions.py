"""Rules are a draft; what followers get is a published version of them.

Revision: 0006, after 0005
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import models

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RULE = sa.table(
    "rules",
    sa.column("id"),
    sa.column("account_id"),
    sa.column("position"),
    sa.column("title"),
    sa.column("trigger"),
    sa.column("keywords", sa.JSON()),
    sa.column("replies", sa.JSON()),
    sa.column("reply_mode"),
    sa.column("is_enabled", sa.Boolean()),
    sa.column("starts_on", sa.Date()),
    sa.column("ends_on", sa.Date()),
    sa.column("time_from"),
    sa.column("time_to"),
    sa.column("tag_id"),
    sa.column("created_at", models.UtcDateTime(timezone=True)),
)
VERSION = sa.table(
    "rule_versions",
    sa.column("account_id"),
    sa.column("number"),
    sa.column("name"),
    sa.column("content", sa.JSON()),
    sa.column("summary", sa.JSON()),
    sa.column("created_at", models.UtcDateTime(timezone=True)),
)
ACCOUNT = sa.table("accounts", sa.column("id"), sa.column("rules_version"))


def upgrade() -> None:
    op.create_table(
        "rule_versions",
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("summary", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("operator_id", NUMBER, nullable=True),
        sa.Column("created_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_rule_versions_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_rule_versions_operator_id_operators"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_rule_versions_account_id_number")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite builds the table anew, so that from now on it gives no number a second time.
    with op.batch_alter_table(
        "rules", recreate="always" if is_sqlite else "auto", table_kwargs={"sqlite_autoincrement": True}
    ) as rules:
        rules.add_column(sa.Column("group_name", sa.String(length=32), nullable=False, server_default=""))
        rules.add_column(sa.Column("revision", NUMBER, nullable=False, server_default="1"))
    with op.batch_alter_table("rules", table_kwargs={"sqlite_autoincrement": True}) as rules:
        rules.alter_column("group_name", server_default=None)
        rules.alter_column("revision", server_default=None)
    _publish_what_there_is()


def _publish_what_there_is() -> None:
    """Version 1 of every account: what answered until now goes on answering."""
    connection = op.get_bind()
    for (account_id,) in connection.execute(sa.select(ACCOUNT.c.id)).all():
        rows = connection.execute(
            sa.select(RULE).where(RULE.c.account_id == account_id).order_by(RULE.c.position, RULE.c.id)
        )
        content = [_item(row) for row in rows]
        made = {"account_id": account_id, "number": 1, "name": "", "content": content, "created_at": models.utc_now()}
        connection.execute(sa.insert(VERSION).values(**made, summary={"rules": len(content)}))
    connection.execute(sa.update(ACCOUNT).values(rules_version=1))


def _item(row: Any) -> dict[str, Any]:
    """As services.matching.as_item wrote it when this revision was made."""
    left_out = ("account_id", "position", "starts_on", "ends_on", "created_at")
    return {
        **{name: value for name, value in row._mapping.items() if name not in left_out},
        "starts_on": row.starts_on.isoformat() if row.starts_on else None,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "group_name": "",
        "created_at": row.created_at.isoformat(),
    }


def downgrade() -> None:
    with op.batch_alter_table("rules") as rules:
        rules.drop_column("revision")
        rules.drop_column("group_name")
    op.drop_table("rule_versions")
