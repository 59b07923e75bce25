"""Moments' sign-in through WeChat: which accounts take part, and who a member is there.

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('wechat_links',
    sa.Column('member_id', ID, nullable=False),
    sa.Column('account_id', ID, nullable=False),
    sa.Column('openid', sa.String(length=64), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', ID, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_wechat_links_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_wechat_links_member_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wechat_links')),
    sa.UniqueConstraint('account_id', 'openid', name=op.f('uq_wechat_links_account_id_openid')),
    sa.UniqueConstraint('member_id', 'account_id', name=op.f('uq_wechat_links_member_id_account_id'))
    )
    op.add_column('accounts', sa.Column('signs_members_in', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column('accounts', 'signs_members_in')
    op.drop_table('wechat_links')
