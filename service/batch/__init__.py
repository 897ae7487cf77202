"""Many cities at once: each a unit of work of its own, run anywhere, summed up in one table.

``cities`` what is asked for → ``work`` one city in a process of its own → ``runners`` where →
``records`` what became of it → ``figures`` and ``summary`` what came out.
"""
