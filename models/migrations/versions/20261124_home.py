"""home: what the first page counts is read off indexes alone.

Revision: 0012, after 0011
"""

from alembic import op


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_messages_account_id_received_at_rule_id'))
        batch_op.create_index(batch_op.f('ix_messages_account_id_received_at_event_rule_id'), ['account_id', 'received_at', 'event', 'rule_id'], unique=False)
    with op.batch_alter_table('followers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_followers_account_id_subscribed_at'), ['account_id', 'subscribed_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_followers_account_id_unsubscribed_at'), ['account_id', 'unsubscribed_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('followers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_followers_account_id_unsubscribed_at'))
        batch_op.drop_index(batch_op.f('ix_followers_account_id_subscribed_at'))
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_messages_account_id_received_at_event_rule_id'))
        batch_op.create_index(batch_op.f('ix_messages_account_id_received_at_rule_id'), ['account_id', 'received_at', 'rule_id'], unique=False)
