"""Several media processes behind one port (``--workers``).

Read `supervisor` first: it holds the port and starts the workers. `proxy` takes each HTTP request
to the worker of its session or room (`placement`), new calls to the one with least to do; media
never passes the supervisor. `desk` decides admission for all, `records` keeps what is needed to go
on with the sessions of a worker that was killed, `totals` adds up metrics.

A worker (`worker`) is the server that runs alone otherwise, on a Unix socket, with two parts that
ask the supervisor: `shared_admission` and `journal`. Both sides speak over `control`.

With one process none of this is imported.
"""
