"""Moments: what is deleted and not yet erased is found by an index; PostgreSQL's index of friends says all about them.

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op


revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

TO_ERASE = sa.text('deleted_at IS NOT NULL AND NOT is_erased')
TO_EMPTY = sa.text("deleted_at IS NOT NULL AND body != ''")


FRIENDS = 'ALTER TABLE edges DROP CONSTRAINT pk_edges, ADD CONSTRAINT pk_edges PRIMARY KEY (owner_id, other_id)'


def upgrade() -> None:
    op.add_column('posts', sa.Column('is_erased', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f('ix_posts_deleted_at'), 'posts', ['deleted_at'], unique=False, sqlite_where=TO_ERASE, postgresql_where=TO_ERASE)
    op.create_index(op.f('ix_comments_deleted_at'), 'comments', ['deleted_at'], unique=False, sqlite_where=TO_EMPTY, postgresql_where=TO_EMPTY)

    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f'{FRIENDS} INCLUDE (since, mutes, blocks, hidden_by, blocked_by)')


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(FRIENDS)
    op.drop_index(op.f('ix_comments_deleted_at'), table_name='comments')
    op.drop_index(op.f('ix_posts_deleted_at'), table_name='posts')
    op.drop_column('posts', 'is_erased')
