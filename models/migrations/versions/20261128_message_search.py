"""message search: texts of either side are found by what stands in them.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from models.term_index import statements


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Texts that are there already are read by the workers, as new ones are.
    op.create_table('message_reading',
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('send_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('last_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_reading'))
    )
    op.create_table('message_terms',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('follower_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('send_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('terms', sa.Text(), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_message_terms_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['follower_id'], ['followers.id'], name=op.f('fk_message_terms_follower_id_followers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_terms'))
    )
    with op.batch_alter_table('message_terms', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_message_terms_follower_id'), ['follower_id'], unique=False)

    for statement in statements('message_terms', op.get_bind().dialect.name, is_large=True):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TABLE message_terms_index')
    op.drop_table('message_terms')
    op.drop_table('message_reading')
