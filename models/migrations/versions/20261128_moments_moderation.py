"""Moments: reports, what moderators decide about them, and who of them looked at what.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
REASON = sa.Enum('spam', 'fraud', 'insult', 'sexual', 'violence', 'privacy', 'other', name='reportreason', native_enum=False, length=16)


def upgrade() -> None:
    op.create_table('moderation_cases',
    sa.Column('post_id', ID, nullable=False),
    sa.Column('comment_id', ID, nullable=True),
    sa.Column('state', sa.Enum('open', 'held', 'closed', name='casestate', native_enum=False, length=16), nullable=False),
    sa.Column('opened_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', ID, nullable=False),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_moderation_cases_comment_id_comments'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_moderation_cases_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_moderation_cases')),
    sa.UniqueConstraint('comment_id', name=op.f('uq_moderation_cases_comment_id'))
    )
    op.create_index('ix_moderation_cases_post_id', 'moderation_cases', ['post_id'])
    op.create_index('ix_moderation_cases_state_id', 'moderation_cases', ['state', 'id'])
    op.create_index('uq_moderation_cases_post', 'moderation_cases', ['post_id'], unique=True, sqlite_where=sa.text('comment_id IS NULL'), postgresql_where=sa.text('comment_id IS NULL'))
    op.create_table('member_reports',
    sa.Column('case_id', ID, nullable=False),
    sa.Column('reporter_id', ID, nullable=False),
    sa.Column('reason', REASON, nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', ID, nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['moderation_cases.id'], name=op.f('fk_member_reports_case_id_moderation_cases'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['reporter_id'], ['members.id'], name=op.f('fk_member_reports_reporter_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member_reports'))
    )
    op.create_index('ix_member_reports_case_id', 'member_reports', ['case_id'])
    op.create_index('ix_member_reports_reporter_id_created_at', 'member_reports', ['reporter_id', 'created_at'])
    op.create_table('staff_views',
    sa.Column('writer_id', ID, nullable=False),
    sa.Column('post_id', ID, nullable=False),
    sa.Column('comment_id', ID, nullable=True),
    sa.Column('who', sa.String(length=100), nullable=False),
    sa.Column('at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', ID, nullable=False),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_staff_views_comment_id_comments'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_staff_views_post_id_posts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['writer_id'], ['members.id'], name=op.f('fk_staff_views_writer_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_views'))
    )
    for column in ('writer_id', 'post_id', 'comment_id'):
        op.create_index(f'ix_staff_views_{column}', 'staff_views', [column])
    for table in ('posts', 'comments'):
        op.add_column(table, sa.Column('hold_reason', REASON, nullable=True))
        op.add_column(table, sa.Column('hold_words', sa.String(length=200), nullable=False, server_default=''))
    op.add_column('members', sa.Column('suspended_at', models.UtcDateTime(timezone=True), nullable=True))
    op.execute("UPDATE members SET suspended_at = CURRENT_TIMESTAMP WHERE status = 'suspended'")


def downgrade() -> None:
    op.drop_column('members', 'suspended_at')
    for table in ('comments', 'posts'):
        op.drop_column(table, 'hold_words')
        op.drop_column(table, 'hold_reason')
    op.drop_table('staff_views')
    op.drop_table('member_reports')
    op.drop_table('moderation_cases')
