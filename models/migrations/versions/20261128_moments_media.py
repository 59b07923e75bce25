"""Moments: uploaded photos and videos.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('media',
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('owner_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('use', sa.Enum('draft', 'post', 'avatar', 'cover', name='mediause', native_enum=False, length=16), nullable=False),
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('alt', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.Enum('photo', 'video', name='mediakind', native_enum=False, length=16), nullable=False),
    sa.Column('state', sa.Enum('taken', 'ready', 'refused', 'erased', name='mediastate', native_enum=False, length=16), nullable=False),
    sa.Column('width', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('height', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('duration_ms', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('blurhash', sa.String(length=32), nullable=False),
    sa.Column('has_poster', sa.Boolean(), nullable=False),
    sa.Column('size_bytes', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('erased_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media')),
    sa.UniqueConstraint('key', name=op.f('uq_media_key'))
    )
    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_media_owner_id_created_at'), ['owner_id', 'created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_media_post_id'), ['post_id'], unique=False)
        batch_op.create_index('ix_media_unsettled', ['created_at'], unique=False, sqlite_where=sa.text("state != 'ready' OR use = 'draft'"), postgresql_where=sa.text("state != 'ready' OR use = 'draft'"))


def downgrade() -> None:
    op.drop_table('media')
