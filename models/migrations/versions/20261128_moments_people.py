"""Moments: a code to be found by, where a request came from, and which notices one wants.

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('notice_choices',
    sa.Column('member_id', ID, nullable=False),
    sa.Column('kind', sa.Enum('like', 'comment', 'mention', 'reshare', 'widened', 'request', 'accepted', 'also_like', 'also_comment', name='noticekind', native_enum=False, length=16), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_notice_choices_member_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('member_id', 'kind', name=op.f('pk_notice_choices'))
    )
    op.create_table('muted_posts',
    sa.Column('member_id', ID, nullable=False),
    sa.Column('post_id', ID, nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_muted_posts_member_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_muted_posts_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('member_id', 'post_id', name=op.f('pk_muted_posts'))
    )
    with op.batch_alter_table('muted_posts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_muted_posts_post_id'), ['post_id'], unique=False)
    op.add_column('friend_requests', sa.Column('source', sa.Enum('handle', 'code', name='requestsource', native_enum=False, length=16), nullable=False, server_default='handle'))
    op.add_column('members', sa.Column('code', sa.String(length=24), nullable=True))
    op.create_index('uq_members_code', 'members', ['code'], unique=True)


def downgrade() -> None:
    op.drop_index('uq_members_code', table_name='members')
    op.drop_column('members', 'code')
    op.drop_column('friend_requests', 'source')
    op.drop_table('muted_posts')
    op.drop_table('notice_choices')
