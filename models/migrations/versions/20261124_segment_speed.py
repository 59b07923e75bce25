"""segment speed.

Revision: 0011, after 0010
"""

from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

KINDS = ('text', 'number', 'day')


def upgrade() -> None:
    with op.batch_alter_table('field_values', schema=None) as batch_op:
        for kind in KINDS:
            batch_op.drop_index(batch_op.f(f'ix_field_values_field_id_{kind}'))
            batch_op.create_index(batch_op.f(f'ix_field_values_field_id_{kind}_follower_id'), ['field_id', kind, 'follower_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('field_values', schema=None) as batch_op:
        for kind in KINDS:
            batch_op.drop_index(batch_op.f(f'ix_field_values_field_id_{kind}_follower_id'))
            batch_op.create_index(batch_op.f(f'ix_field_values_field_id_{kind}'), ['field_id', kind], unique=False)
