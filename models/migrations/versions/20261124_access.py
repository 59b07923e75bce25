"""Roles, a second factor, and an audit log that says what changed.

Everybody who was an operator before could do everything: they stay owners of everything.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

import models


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
OLD_SCOPES = {'operators:read': 'people:read', 'operators:write': 'people:write'}


def upgrade() -> None:
    op.create_table('memberships',
    sa.Column('operator_id', NUMBER, nullable=False),
    sa.Column('account_id', NUMBER, nullable=True),
    sa.Column('role', sa.Enum('owner', 'editor', 'marketer', 'agent', 'analyst', name='role', native_enum=False, length=16), nullable=False),
    sa.Column('created_at', models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', NUMBER, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_memberships_account_id_accounts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_memberships_operator_id_operators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_memberships')),
    sa.UniqueConstraint('operator_id', 'account_id', name=op.f('uq_memberships_operator_id_account_id'))
    )
    op.create_index(op.f('ix_memberships_account_id'), 'memberships', ['account_id'])
    op.create_index(
        'uq_memberships_operator_id_everywhere', 'memberships', ['operator_id'], unique=True,
        sqlite_where=sa.text('account_id IS NULL'), postgresql_where=sa.text('account_id IS NULL'),
    )
    # Rows that are there need a value; new ones get theirs from the models.
    op.add_column('operators', sa.Column('sealed_totp', sa.Text(), nullable=False, server_default=''))
    op.add_column('operators', sa.Column('totp_step', NUMBER, nullable=False, server_default='0'))
    op.add_column('operators', sa.Column('recovery_digests', sa.JSON(none_as_null=True), nullable=False, server_default='[]'))
    op.add_column('sign_ins', sa.Column('must_renew', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('audit_records', sa.Column('before', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('audit_records', sa.Column('after', sa.JSON(none_as_null=True), nullable=True))
    op.execute(
        "INSERT INTO memberships (operator_id, account_id, role, created_at) "
        "SELECT id, NULL, 'owner', created_at FROM operators"
    )
    _rename_scopes(OLD_SCOPES)


def downgrade() -> None:
    _rename_scopes({new: old for old, new in OLD_SCOPES.items()})
    for table, columns in (
        ('audit_records', ('before', 'after')),
        ('sign_ins', ('must_renew',)),
        ('operators', ('sealed_totp', 'totp_step', 'recovery_digests')),
    ):
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
    op.drop_table('memberships')


def _rename_scopes(names: dict[str, str]) -> None:
    keys = sa.table('api_tokens', sa.column('id', NUMBER), sa.column('scopes', sa.JSON()))
    connection = op.get_bind()
    for key_id, scopes in connection.execute(sa.select(keys.c.id, keys.c.scopes)).all():
        renamed = [names.get(scope, scope) for scope in scopes]
        if renamed != scopes:
            connection.execute(sa.update(keys).where(keys.c.id == key_id).values(scopes=renamed))
