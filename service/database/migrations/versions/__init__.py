"""One file a version, applied in the order of ``down_revision``."""
