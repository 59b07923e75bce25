"""name search.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == 'postgresql'
    with op.batch_alter_table('name_terms', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_name_terms_follower_id_term'), type_='unique')
        batch_op.create_index(batch_op.f('ix_name_terms_follower_id'), ['follower_id'], unique=False)
        if on_postgresql:
            batch_op.alter_column('term', type_=sa.String(length=24, collation='C'), existing_nullable=False)
    with op.batch_alter_table('followers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_followers_account_id_id'), ['account_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_followers_account_id_is_subscribed_id'), ['account_id', 'is_subscribed', 'id'], unique=False)
    with op.batch_alter_table('follower_tags', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_follower_tags_tag_id'))
        batch_op.create_index(batch_op.f('ix_follower_tags_tag_id_follower_id'), ['tag_id', 'follower_id'], unique=False)

    # The terms of those who are there already are written by the workers, a thousand in a transaction.
    now = 'CURRENT_TIMESTAMP' if on_postgresql else "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    empty = "'{}'"
    op.execute(
        "INSERT INTO tasks (account_id, kind, status, state, done, attempts, fence, error, due_at, created_at)"
        f" SELECT id, 'name_terms', 'ready', {empty}, 0, 0, 0, '', {now}, {now} FROM accounts"
        " WHERE EXISTS (SELECT 1 FROM followers WHERE followers.account_id = accounts.id)"
    )


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == 'postgresql'
    op.execute("DELETE FROM tasks WHERE kind = 'name_terms'")
    with op.batch_alter_table('follower_tags', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_follower_tags_tag_id_follower_id'))
        batch_op.create_index(batch_op.f('ix_follower_tags_tag_id'), ['tag_id'], unique=False)
    with op.batch_alter_table('followers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_followers_account_id_is_subscribed_id'))
        batch_op.drop_index(batch_op.f('ix_followers_account_id_id'))
    with op.batch_alter_table('name_terms', schema=None) as batch_op:
        if on_postgresql:
            batch_op.alter_column('term', type_=sa.String(length=24), existing_nullable=False)
        batch_op.drop_index(batch_op.f('ix_name_terms_follower_id'))
        batch_op.create_unique_constraint(batch_op.f('uq_name_terms_follower_id_term'), ['follower_id', 'term'])
