"""Menus for some followers.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('menus', schema=None) as batch_op:
        batch_op.add_column(sa.Column('conditional', sa.JSON(none_as_null=True), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('published_conditional', sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table('menu_versions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('conditional', sa.JSON(none_as_null=True), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('fault', sa.JSON(none_as_null=True), nullable=False, server_default='{}'))


def downgrade() -> None:
    with op.batch_alter_table('menu_versions', schema=None) as batch_op:
        batch_op.drop_column('fault')
        batch_op.drop_column('conditional')

    with op.batch_alter_table('menus', schema=None) as batch_op:
        batch_op.drop_column('published_conditional')
        batch_op.drop_column('conditional')
