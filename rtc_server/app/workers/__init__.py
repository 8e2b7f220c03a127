"""Several media processes behind one port (``--workers``).

Read `supervisor` first: it holds the port and starts the workers. `proxy` takes each HTTP request
to the worker of its session or room (`placement`), new calls to the one with the lowest load; media
never passes the supervisor. `desk` decides admission for all, `records` keeps the data with which
another worker continues the sessions of one that was killed, `totals` adds up metrics.

A worker (`worker`) is the same server as in a single process, on a Unix socket, with two parts that
send requests to the supervisor: `shared_admission` and `journal`. Both sides use `control`.

With one process none of this is imported.
"""
