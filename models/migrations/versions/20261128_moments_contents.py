"""Moments: avatars and covers, posts that wait for their time, cards of links.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.add_column(sa.Column('avatar_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('cover_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))

    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scheduled_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.create_index(batch_op.f('ix_media_scheduled_id'), ['scheduled_id'], unique=False, sqlite_where=sa.text('scheduled_id IS NOT NULL'), postgresql_where=sa.text('scheduled_id IS NOT NULL'))

    op.create_table('scheduled_posts',
    sa.Column('author_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('place', sa.String(length=100), nullable=False),
    sa.Column('link', sa.String(length=500), nullable=False),
    sa.Column('mode', sa.Enum('friends', 'private', 'allow', 'deny', name='postmode', native_enum=False, length=16), nullable=False),
    sa.Column('names', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('mentions', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('reshare_ok', sa.Boolean(), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['members.id'], name=op.f('fk_scheduled_posts_author_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduled_posts'))
    )
    with op.batch_alter_table('scheduled_posts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheduled_posts_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_scheduled_posts_author_id'), ['author_id'], unique=False)

    op.create_table('link_cards',
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('text', sa.String(length=300), nullable=False),
    sa.Column('media_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('tries', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('look_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_link_cards_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('post_id', name=op.f('pk_link_cards'))
    )
    with op.batch_alter_table('link_cards', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_cards_look_at'), ['look_at'], unique=False, sqlite_where=sa.text('look_at IS NOT NULL'), postgresql_where=sa.text('look_at IS NOT NULL'))


def downgrade() -> None:
    op.drop_table('link_cards')
    op.drop_table('scheduled_posts')
    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_media_scheduled_id'))
        batch_op.drop_column('scheduled_id')
    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.drop_column('cover_id')
        batch_op.drop_column('avatar_id')
