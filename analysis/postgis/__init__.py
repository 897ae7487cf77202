"""PostGIS as a neighbour: runs published into it, tables fetched from it as inputs.

psycopg comes with the extra ``postgis`` and is imported where it is needed.
"""
