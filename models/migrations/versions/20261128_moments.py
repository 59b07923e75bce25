"""Moments: members, their friends and groups, posts, and what is said to them.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('members',
    sa.Column('handle', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('about', sa.String(length=200), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('status', sa.Enum('active', 'off', 'suspended', 'gone', name='memberstatus', native_enum=False, length=16), nullable=False),
    sa.Column('window_days', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('newonly', sa.Boolean(), nullable=False),
    sa.Column('takes_requests', sa.Boolean(), nullable=False),
    sa.Column('lets_reshare', sa.Boolean(), nullable=False),
    sa.Column('stamp', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('erase_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['follower_id'], ['followers.id'], name=op.f('fk_members_follower_id_followers'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_members')),
    sa.UniqueConstraint('handle', name=op.f('uq_members_handle'))
    )
    op.create_table('edges',
    sa.Column('owner_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('other_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('since', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('hides', sa.Boolean(), nullable=False),
    sa.Column('mutes', sa.Boolean(), nullable=False),
    sa.Column('blocks', sa.Boolean(), nullable=False),
    sa.Column('hidden_by', sa.Boolean(), nullable=False),
    sa.Column('blocked_by', sa.Boolean(), nullable=False),
    sa.Column('remark', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['other_id'], ['members.id'], name=op.f('fk_edges_other_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['owner_id'], ['members.id'], name=op.f('fk_edges_owner_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('owner_id', 'other_id', name=op.f('pk_edges'))
    )
    with op.batch_alter_table('edges', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_edges_other_id'), ['other_id'], unique=False)

    op.create_table('friend_groups',
    sa.Column('owner_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['members.id'], name=op.f('fk_friend_groups_owner_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_friend_groups'))
    )
    with op.batch_alter_table('friend_groups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_friend_groups_owner_id'), ['owner_id'], unique=False)

    op.create_table('friend_requests',
    sa.Column('from_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('to_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('message', sa.String(length=200), nullable=False),
    sa.Column('state', sa.Enum('pending', 'accepted', 'refused', 'withdrawn', name='requeststate', native_enum=False, length=16), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['from_id'], ['members.id'], name=op.f('fk_friend_requests_from_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['to_id'], ['members.id'], name=op.f('fk_friend_requests_to_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_friend_requests'))
    )
    with op.batch_alter_table('friend_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_friend_requests_from_id'), ['from_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_friend_requests_to_id_state'), ['to_id', 'state'], unique=False)
        batch_op.create_index('uq_friend_requests_pending', ['from_id', 'to_id'], unique=True, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))

    op.create_table('member_sign_ins',
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('device', sa.String(length=200), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_member_sign_ins_member_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member_sign_ins')),
    sa.UniqueConstraint('digest', name=op.f('uq_member_sign_ins_digest'))
    )
    with op.batch_alter_table('member_sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_member_sign_ins_member_id'), ['member_id'], unique=False)

    op.create_table('member_tokens',
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('scopes', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_member_tokens_member_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member_tokens')),
    sa.UniqueConstraint('digest', name=op.f('uq_member_tokens_digest'))
    )
    with op.batch_alter_table('member_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_member_tokens_member_id'), ['member_id'], unique=False)

    op.create_table('posts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('author_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mode', sa.Enum('friends', 'private', 'allow', 'deny', name='postmode', native_enum=False, length=16), nullable=False),
    sa.Column('aud_at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('place', sa.String(length=100), nullable=False),
    sa.Column('link', sa.String(length=500), nullable=False),
    sa.Column('root_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('reshare_ok', sa.Boolean(), nullable=False),
    sa.Column('comments_open', sa.Boolean(), nullable=False),
    sa.Column('is_held', sa.Boolean(), nullable=False),
    sa.Column('edited_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['members.id'], name=op.f('fk_posts_author_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_posts'))
    )
    with op.batch_alter_table('posts', schema=None) as batch_op:
        batch_op.create_index('ix_posts_album', ['author_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_posts_root_id'), ['root_id'], unique=False)

    op.create_table('comments',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reply_to', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('deleted_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('removed_by_author', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_comments_member_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_comments_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comments'))
    )
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_comments_member_id_id'), ['member_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_comments_post_id_id'), ['post_id', 'id'], unique=False)

    op.create_table('friend_group_members',
    sa.Column('group_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('added', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('removed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['friend_groups.id'], name=op.f('fk_friend_group_members_group_id_friend_groups'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_friend_group_members_member_id_members'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_friend_group_members')),
    sa.UniqueConstraint('group_id', 'member_id', 'added', name=op.f('uq_friend_group_members_group_id_member_id_added'))
    )
    with op.batch_alter_table('friend_group_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_friend_group_members_member_id'), ['member_id'], unique=False)
        batch_op.create_index('uq_friend_group_members_open', ['group_id', 'member_id'], unique=True, sqlite_where=sa.text('removed IS NULL'), postgresql_where=sa.text('removed IS NULL'))

    op.create_table('likes',
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_likes_member_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_likes_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('post_id', 'member_id', name=op.f('pk_likes'))
    )
    with op.batch_alter_table('likes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_likes_member_id'), ['member_id'], unique=False)

    op.create_table('post_audience',
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('allow_member', 'allow_group', 'deny_member', 'deny_group', name='listkind', native_enum=False, length=16), nullable=False),
    sa.Column('target_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_post_audience_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('post_id', 'kind', 'target_id', name=op.f('pk_post_audience'))
    )
    op.create_table('post_audience_changes',
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mode', sa.Enum('friends', 'private', 'allow', 'deny', name='postmode', native_enum=False, length=16), nullable=False),
    sa.Column('names', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('since', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('until', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_post_audience_changes_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_post_audience_changes'))
    )
    with op.batch_alter_table('post_audience_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_post_audience_changes_post_id'), ['post_id'], unique=False)

    op.create_table('post_edits',
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_post_edits_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_post_edits'))
    )
    with op.batch_alter_table('post_edits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_post_edits_post_id'), ['post_id'], unique=False)

    op.create_table('notices',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('like', 'comment', 'mention', 'reshare', 'widened', 'request', 'accepted', name='noticekind', native_enum=False, length=16), nullable=False),
    sa.Column('actor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('read_at', models.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['actor_id'], ['members.id'], name=op.f('fk_notices_actor_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_notices_comment_id_comments'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_notices_member_id_members'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_notices_post_id_posts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices'))
    )
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notices_actor_id'), ['actor_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_notices_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_notices_member_id_id'), ['member_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_notices_post_id'), ['post_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notices_post_id'))
        batch_op.drop_index(batch_op.f('ix_notices_member_id_id'))
        batch_op.drop_index(batch_op.f('ix_notices_comment_id'))
        batch_op.drop_index(batch_op.f('ix_notices_actor_id'))

    op.drop_table('notices')
    with op.batch_alter_table('post_edits', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_post_edits_post_id'))

    op.drop_table('post_edits')
    with op.batch_alter_table('post_audience_changes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_post_audience_changes_post_id'))

    op.drop_table('post_audience_changes')
    op.drop_table('post_audience')
    with op.batch_alter_table('likes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_likes_member_id'))

    op.drop_table('likes')
    with op.batch_alter_table('friend_group_members', schema=None) as batch_op:
        batch_op.drop_index('uq_friend_group_members_open', sqlite_where=sa.text('removed IS NULL'), postgresql_where=sa.text('removed IS NULL'))
        batch_op.drop_index(batch_op.f('ix_friend_group_members_member_id'))

    op.drop_table('friend_group_members')
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_comments_post_id_id'))
        batch_op.drop_index(batch_op.f('ix_comments_member_id_id'))

    op.drop_table('comments')
    with op.batch_alter_table('posts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_posts_root_id'))
        batch_op.drop_index('ix_posts_album')

    op.drop_table('posts')
    with op.batch_alter_table('member_tokens', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_member_tokens_member_id'))

    op.drop_table('member_tokens')
    with op.batch_alter_table('member_sign_ins', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_member_sign_ins_member_id'))

    op.drop_table('member_sign_ins')
    with op.batch_alter_table('friend_requests', schema=None) as batch_op:
        batch_op.drop_index('uq_friend_requests_pending', sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))
        batch_op.drop_index(batch_op.f('ix_friend_requests_to_id_state'))
        batch_op.drop_index(batch_op.f('ix_friend_requests_from_id'))

    op.drop_table('friend_requests')
    with op.batch_alter_table('friend_groups', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_friend_groups_owner_id'))

    op.drop_table('friend_groups')
    with op.batch_alter_table('edges', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_edges_other_id'))

    op.drop_table('edges')
    op.drop_table('members')
