"""The inbox: who has a conversation, what was done in it, and the journal.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agents',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('is_available', sa.Boolean(), nullable=False),
    sa.Column('capacity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seen_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('assigned_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_agents_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_agents_operator_id_operators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agents')),
    sa.UniqueConstraint('account_id', 'operator_id', name=op.f('uq_agents_account_id_operator_id'))
    )
    op.create_table('canned_replies',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=30), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('updated_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_canned_replies_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canned_replies')),
    sa.UniqueConstraint('account_id', 'name', name=op.f('uq_canned_replies_account_id_name'))
    )
    op.create_table('journal_heads',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('last', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_journal_heads_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_journal_heads')),
    sa.UniqueConstraint('account_id', name=op.f('uq_journal_heads_account_id'))
    )
    op.create_table('labels',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=30), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_labels_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_labels')),
    sa.UniqueConstraint('account_id', 'name', name=op.f('uq_labels_account_id_name'))
    )
    op.create_table('conversation_labels',
    sa.Column('conversation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_conversation_labels_conversation_id_conversations'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['label_id'], ['labels.id'], name=op.f('fk_conversation_labels_label_id_labels'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversation_labels')),
    sa.UniqueConstraint('conversation_id', 'label_id', name=op.f('uq_conversation_labels_conversation_id_label_id'))
    )
    with op.batch_alter_table('conversation_labels', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_conversation_labels_label_id_conversation_id'), ['label_id', 'conversation_id'], unique=False)

    op.create_table('drafts',
    sa.Column('conversation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_drafts_conversation_id_conversations'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_drafts_operator_id_operators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drafts')),
    sa.UniqueConstraint('conversation_id', 'operator_id', name=op.f('uq_drafts_conversation_id_operator_id'))
    )
    op.create_table('journal',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('conversation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('who', sa.String(length=64), nullable=False),
    sa.Column('detail', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_journal_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_journal_conversation_id_conversations'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_journal_operator_id_operators'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_journal')),
    sa.UniqueConstraint('account_id', 'seq', name=op.f('uq_journal_account_id_seq'))
    )
    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_journal_conversation_id_seq'), ['conversation_id', 'seq'], unique=False)

    op.create_table('mentions',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('note_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('read_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_mentions_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['note_id'], ['notes.id'], name=op.f('fk_mentions_note_id_notes'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_mentions_operator_id_operators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mentions')),
    sa.UniqueConstraint('note_id', 'operator_id', name=op.f('uq_mentions_note_id_operator_id'))
    )
    with op.batch_alter_table('mentions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mentions_operator_id_account_id_read_at'), ['operator_id', 'account_id', 'read_at'], unique=False)

    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('desk', sa.Enum('lobby', 'wechat', 'wechat_ai', name='desk', native_enum=False, length=16), nullable=False, server_default='lobby'))
        batch_op.add_column(sa.Column('assigning', sa.Enum('by_hand', 'round_robin', 'least_loaded', name='assigning', native_enum=False, length=16), nullable=False, server_default='by_hand'))
        batch_op.add_column(sa.Column('offline_minutes', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='10'))
        batch_op.add_column(sa.Column('opening_hours', sa.JSON(none_as_null=True), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('away_reply', sa.Text(), nullable=False, server_default='现在是休息时间，上班后我们会尽快回复您。'))

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('assignee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('first_replied_at', models.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('snoozed_until', models.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('closed_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('preview', sa.String(length=120), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('preview_side', sa.String(length=8), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('said_seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='0'))
        batch_op.create_index(batch_op.f('ix_conversations_account_id_opened_at'), ['account_id', 'opened_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_conversations_account_id_seq'), ['account_id', 'seq'], unique=False)
        batch_op.create_index('ix_conversations_queues', ['account_id', 'assignee_id', 'snoozed_until'], unique=False, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.create_foreign_key(batch_op.f('fk_conversations_assignee_id_operators'), 'operators', ['assignee_id'], ['id'], ondelete='SET NULL')
        batch_op.create_foreign_key(batch_op.f('fk_conversations_closed_by_id_operators'), 'operators', ['closed_by_id'], ['id'], ondelete='SET NULL')

    with op.batch_alter_table('sends', schema=None) as batch_op:
        batch_op.add_column(sa.Column('intent', sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_sends_account_id_intent'), ['account_id', 'intent'])



def downgrade() -> None:
    with op.batch_alter_table('sends', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_sends_account_id_intent'), type_='unique')
        batch_op.drop_column('intent')

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_conversations_closed_by_id_operators'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_conversations_assignee_id_operators'), type_='foreignkey')
        batch_op.drop_index('ix_conversations_queues', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_conversations_account_id_seq'))
        batch_op.drop_index(batch_op.f('ix_conversations_account_id_opened_at'))
        batch_op.drop_column('said_seq')
        batch_op.drop_column('seq')
        batch_op.drop_column('preview_side')
        batch_op.drop_column('preview')
        batch_op.drop_column('closed_by_id')
        batch_op.drop_column('snoozed_until')
        batch_op.drop_column('first_replied_at')
        batch_op.drop_column('assignee_id')

    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.drop_column('away_reply')
        batch_op.drop_column('opening_hours')
        batch_op.drop_column('offline_minutes')
        batch_op.drop_column('assigning')
        batch_op.drop_column('desk')

    with op.batch_alter_table('mentions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mentions_operator_id_account_id_read_at'))

    op.drop_table('mentions')
    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_journal_conversation_id_seq'))

    op.drop_table('journal')
    op.drop_table('drafts')
    with op.batch_alter_table('conversation_labels', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conversation_labels_label_id_conversation_id'))

    op.drop_table('conversation_labels')
    op.drop_table('labels')
    op.drop_table('journal_heads')
    op.drop_table('canned_replies')
    op.drop_table('agents')
