"""Jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("process", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False, index=True),
        sa.Column("key_id", sa.String(16), sa.ForeignKey("keys.id"), nullable=True),
        sa.Column("area", sa.String(64), nullable=False, index=True),
        sa.Column("lang", sa.String(2), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("response", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=True),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("jobs")
