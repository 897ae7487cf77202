"""What the service keeps: keys, sessions, scenarios, reviews; the audit log has their history.

SQLite in the workspace, or PostgreSQL by ``LIFECIRCLE_DATABASE``. Runs are never in it: a run is
a folder of files, and the service reads without a database.
"""
