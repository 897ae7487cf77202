"""What the service itself keeps: keys, an audit log; later scenarios and reviews (tables beside).

SQLite in the workspace, or PostgreSQL by ``LIFECIRCLE_DATABASE``. Figures are never in it: a run is
a folder of files, and the service reads without a database.
"""
