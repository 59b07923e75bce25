"""assistant: an assistant within bounds.

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

import models
from models.term_index import statements


revision = '0015'
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('assistants',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('url', sa.String(length=500), nullable=False),
    sa.Column('model', sa.String(length=100), nullable=False),
    sa.Column('sealed_key', sa.Text(), nullable=False),
    sa.Column('is_streamed', sa.Boolean(), nullable=False),
    sa.Column('prompt', sa.Text(), nullable=False),
    sa.Column('prefix', sa.String(length=16), nullable=False),
    sa.Column('turns', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('max_tokens', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('fallback_reply', sa.Text(), nullable=False),
    sa.Column('link_reply', sa.Text(), nullable=False),
    sa.Column('signature', sa.String(length=64), nullable=False),
    sa.Column('words_in', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('words_out', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('follower_messages', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_tokens', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_messages', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_tokens', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('price_in_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('price_out_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_assistants_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assistants')),
    sa.UniqueConstraint('account_id', name=op.f('uq_assistants_account_id'))
    )
    op.create_table('knowledge_sources',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.Enum('text', 'markdown', 'csv', name='sourcekind', native_enum=False, length=16), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('passages', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('updated_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_knowledge_sources_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_sources')),
    sa.UniqueConstraint('account_id', 'name', name=op.f('uq_knowledge_sources_account_id_name'))
    )
    op.create_table('knowledge_passages',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('terms', sa.Text(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_knowledge_passages_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['source_id'], ['knowledge_sources.id'], name=op.f('fk_knowledge_passages_source_id_knowledge_sources'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_passages'))
    )
    with op.batch_alter_table('knowledge_passages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_knowledge_passages_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_knowledge_passages_source_id'), ['source_id'], unique=False)

    op.create_table('assistant_usage',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('messages', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tokens', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('cost', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_assistant_usage_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['follower_id'], ['followers.id'], name=op.f('fk_assistant_usage_follower_id_followers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assistant_usage'))
    )
    with op.batch_alter_table('assistant_usage', schema=None) as batch_op:
        batch_op.create_index('uq_assistant_usage_account', ['account_id', 'day'], unique=True, sqlite_where=sa.text('follower_id IS NULL'), postgresql_where=sa.text('follower_id IS NULL'))
        batch_op.create_index('uq_assistant_usage_follower', ['follower_id', 'day'], unique=True, sqlite_where=sa.text('follower_id IS NOT NULL'), postgresql_where=sa.text('follower_id IS NOT NULL'))

    op.create_table('answers',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('pending', 'working', 'ready', 'given', 'dropped', name='answerstate', native_enum=False, length=16), nullable=False),
    sa.Column('way', sa.Enum('hold', 'passive', 'customer', 'link', 'trial', name='way', native_enum=False, length=16), nullable=False),
    sa.Column('attempt', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attempted_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('fence', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('due_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('deadline_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('trouble', sa.String(length=16), nullable=False),
    sa.Column('trace', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('tokens_in', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tokens_out', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('milliseconds', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_answers_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['follower_id'], ['followers.id'], name=op.f('fk_answers_follower_id_followers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_answers_message_id_messages'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answers')),
    sa.UniqueConstraint('message_id', name=op.f('uq_answers_message_id'))
    )
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_answers_account_id_id'), ['account_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_answers_follower_id_id'), ['follower_id', 'id'], unique=False)
        batch_op.create_index('ix_answers_open', ['due_at'], unique=False, sqlite_where=sa.text("state IN ('pending', 'working', 'ready')"), postgresql_where=sa.text("state IN ('pending', 'working', 'ready')"))


    for statement in statements("knowledge_passages", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE knowledge_passages_index")
    else:
        op.drop_index("ix_knowledge_passages_terms", "knowledge_passages")
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.drop_index('ix_answers_open', sqlite_where=sa.text("state IN ('pending', 'working', 'ready')"), postgresql_where=sa.text("state IN ('pending', 'working', 'ready')"))
        batch_op.drop_index(batch_op.f('ix_answers_follower_id_id'))
        batch_op.drop_index(batch_op.f('ix_answers_account_id_id'))

    op.drop_table('answers')
    with op.batch_alter_table('assistant_usage', schema=None) as batch_op:
        batch_op.drop_index('uq_assistant_usage_follower', sqlite_where=sa.text('follower_id IS NOT NULL'), postgresql_where=sa.text('follower_id IS NOT NULL'))
        batch_op.drop_index('uq_assistant_usage_account', sqlite_where=sa.text('follower_id IS NULL'), postgresql_where=sa.text('follower_id IS NULL'))

    op.drop_table('assistant_usage')
    with op.batch_alter_table('knowledge_passages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_knowledge_passages_source_id'))
        batch_op.drop_index(batch_op.f('ix_knowledge_passages_account_id'))

    op.drop_table('knowledge_passages')
    op.drop_table('knowledge_sources')
    op.drop_table('assistants')
