"""Moments: what is deleted and not yet erased is found by an index.

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


def upgrade() -> None:
    op.add_column('posts', sa.Column('is_erased', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f('ix_posts_deleted_at'), 'posts', ['deleted_at'], unique=False, sqlite_where=TO_ERASE, postgresql_where=TO_ERASE)
    op.create_index(op.f('ix_comments_deleted_at'), 'comments', ['deleted_at'], unique=False, sqlite_where=TO_EMPTY, postgresql_where=TO_EMPTY)


def downgrade() -> None:
    op.drop_index(op.f('ix_comments_deleted_at'), table_name='comments')
    op.drop_index(op.f('ix_posts_deleted_at'), table_name='posts')
    op.drop_column('posts', 'is_erased')
