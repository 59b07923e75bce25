"""Campaigns and the send ledger.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('campaigns',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.Enum('mass', 'template', 'notice', 'service', name='channel', native_enum=False, length=16), nullable=False),
    sa.Column('reach', sa.Enum('list', 'tag', 'all', name='reach', native_enum=False, length=16), nullable=False),
    sa.Column('variants', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('held_out', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('to_everyone', sa.Boolean(), nullable=False),
    sa.Column('segment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('excluded_ids', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('tag_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('starts', sa.String(length=16), nullable=False),
    sa.Column('in_own_zone', sa.Boolean(), nullable=False),
    sa.Column('quiet_from', sa.String(length=5), nullable=False),
    sa.Column('quiet_until', sa.String(length=5), nullable=False),
    sa.Column('missed_minutes', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pace', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('ignores_cap', sa.Boolean(), nullable=False),
    sa.Column('goal', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('status', sa.Enum('draft', 'preparing', 'waiting', 'scheduled', 'missed', 'sending', 'paused', 'finished', 'cancelled', name='campaignstatus', native_enum=False, length=16), nullable=False),
    sa.Column('why', sa.String(length=24), nullable=False),
    sa.Column('errcode', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('fence', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('leased_until', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('audience', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('excluded', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('starts_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('parked_until', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('next_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('judged', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('judged_failed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('salt', sa.String(length=32), nullable=False),
    sa.Column('approved_hash', sa.String(length=64), nullable=False),
    sa.Column('approved_by', sa.String(length=64), nullable=False),
    sa.Column('who', sa.String(length=64), nullable=False),
    sa.Column('launched_by', sa.String(length=64), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('updated_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('launched_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('finished_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_campaigns_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['segment_id'], ['segments.id'], name=op.f('fk_campaigns_segment_id_segments'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tag_id'], ['tags.id'], name=op.f('fk_campaigns_tag_id_tags'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaigns'))
    )
    with op.batch_alter_table('campaigns', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_campaigns_account_id_status_starts_at'), ['account_id', 'status', 'starts_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_campaigns_segment_id'), ['segment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_campaigns_status_starts_at'), ['status', 'starts_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_campaigns_tag_id'), ['tag_id'], unique=False)

    op.create_table('batches',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('campaign_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('variant', sa.SmallInteger(), nullable=False),
    sa.Column('zone', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('status', sa.Enum('ready', 'sending', 'accepted', 'done', 'unknown', 'review', 'failed', 'cancelled', name='batchstatus', native_enum=False, length=16), nullable=False),
    sa.Column('due_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('client_id', sa.String(length=32), nullable=False),
    sa.Column('fence', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('leased_until', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('first_tried_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('draft_id', sa.String(length=128), nullable=False),
    sa.Column('msg_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('msg_data_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('sent', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('failed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unknown', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('skipped', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ended', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('checks', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('check_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('accepted_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('errcode', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_batches_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_batches_campaign_id_campaigns'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batches')),
    sa.UniqueConstraint('account_id', 'msg_id', name=op.f('uq_batches_account_id_msg_id')),
    sa.UniqueConstraint('campaign_id', 'number', name=op.f('uq_batches_campaign_id_number')),
    sa.UniqueConstraint('client_id', name=op.f('uq_batches_client_id'))
    )
    with op.batch_alter_table('batches', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_batches_status_due_at'), ['status', 'due_at'], unique=False)

    op.create_table('deliveries',
    sa.Column('campaign_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('batch', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('variant', sa.SmallInteger(), nullable=False),
    sa.Column('status', sa.Enum('excluded', 'pending', 'sending', 'sent', 'failed', 'unknown', 'cancelled', name='deliverystatus', native_enum=False, length=16), nullable=False),
    sa.Column('reason', sa.String(length=16), nullable=False),
    sa.Column('at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('errcode', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('msg_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_deliveries_campaign_id_campaigns'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['follower_id'], ['followers.id'], name=op.f('fk_deliveries_follower_id_followers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('campaign_id', 'follower_id', name=op.f('pk_deliveries')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_deliveries_campaign_id_batch', ['campaign_id', 'batch'], unique=False)

    op.create_table('tracked_links',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('campaign_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('variant', sa.SmallInteger(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('url', sa.String(length=1024), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_tracked_links_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_tracked_links_campaign_id_campaigns'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tracked_links')),
    sa.UniqueConstraint('campaign_id', 'variant', 'number', name=op.f('uq_tracked_links_campaign_id_variant_number')),
    sa.UniqueConstraint('code', name=op.f('uq_tracked_links_code'))
    )
    with op.batch_alter_table('tracked_links', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tracked_links_account_id'), ['account_id'], unique=False)

    op.create_table('clicks',
    sa.Column('link_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('visitor', sa.String(length=32), nullable=False),
    sa.Column('at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('times', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['follower_id'], ['followers.id'], name=op.f('fk_clicks_follower_id_followers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['link_id'], ['tracked_links.id'], name=op.f('fk_clicks_link_id_tracked_links'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clicks')),
    sa.UniqueConstraint('link_id', 'visitor', name=op.f('uq_clicks_link_id_visitor'))
    )
    with op.batch_alter_table('clicks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_clicks_follower_id'), ['follower_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_clicks_link_id_at'), ['link_id', 'at'], unique=False)

    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cap_messages', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('cap_days', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='7'))
        batch_op.add_column(sa.Column('approval_above', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('opt_out_words', sa.JSON(none_as_null=True), nullable=False, server_default='["退订", "TD"]'))
        batch_op.add_column(sa.Column('opt_out_reply', sa.Text(), nullable=False, server_default='已为您退订群发消息。回复“订阅”可重新接收。'))
        batch_op.add_column(sa.Column('opt_in_words', sa.JSON(none_as_null=True), nullable=False, server_default='["订阅"]'))
        batch_op.add_column(sa.Column('opt_in_reply', sa.Text(), nullable=False, server_default='您将重新收到我们的群发消息。'))

    with op.batch_alter_table('followers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('opted_out_at', models.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('timezone', sa.String(length=64), nullable=False, server_default=''))



def downgrade() -> None:
    with op.batch_alter_table('followers', schema=None) as batch_op:
        batch_op.drop_column('timezone')
        batch_op.drop_column('opted_out_at')

    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.drop_column('opt_in_reply')
        batch_op.drop_column('opt_in_words')
        batch_op.drop_column('opt_out_reply')
        batch_op.drop_column('opt_out_words')
        batch_op.drop_column('approval_above')
        batch_op.drop_column('cap_days')
        batch_op.drop_column('cap_messages')

    with op.batch_alter_table('clicks', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_clicks_link_id_at'))
        batch_op.drop_index(batch_op.f('ix_clicks_follower_id'))

    op.drop_table('clicks')
    with op.batch_alter_table('tracked_links', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tracked_links_account_id'))

    op.drop_table('tracked_links')
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.drop_index('ix_deliveries_campaign_id_batch')

    op.drop_table('deliveries')
    with op.batch_alter_table('batches', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_batches_status_due_at'))

    op.drop_table('batches')
    with op.batch_alter_table('campaigns', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_campaigns_tag_id'))
        batch_op.drop_index(batch_op.f('ix_campaigns_status_starts_at'))
        batch_op.drop_index(batch_op.f('ix_campaigns_segment_id'))
        batch_op.drop_index(batch_op.f('ix_campaigns_account_id_status_starts_at'))

    op.drop_table('campaigns')
