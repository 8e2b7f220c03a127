"""Composition root: builds every object, starts and stops them in order.

Input: `Settings`. Output: a running server, an application to mount in another one, or a recording
translated without a network (`offline`).

Read `server` first: `serve`, `running` and `mountable`; then `parts`: the objects that are built,
and the order of start and stop. `engines` starts the two engines and reports their readiness,
`listening` and `connections` hold the TCP sockets and their limits, `tls` renews certificates,
`doctor` is ``rtc-server doctor``.

Only this package may join all others. It has no rules of its own beyond the order in which things
begin and end.
"""
