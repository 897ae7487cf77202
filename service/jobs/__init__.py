"""Long work beside the service: a queue in the database, each job in a process of its own.

Nothing here knows of HTTP: `processes` says what can be asked for, `desk` takes orders,
`workshop` runs them one after another, `worker` is the process of one.
"""
