"""Composition root: builds every object, starts and stops them in order.

In go `Settings`; out comes a running server, an application to mount in another one, or a recording
translated without a network (`offline`).

Read `server` first: `serve`, `running` and `mountable`; then `parts`: what is built, and the order
of start and stop.
`engines` starts the two engines and reports their readiness, `listening` and `connections` hold the
TCP sockets and their limits, `tls` renews certificates, `doctor` is ``rtc-server doctor``.

The only package that may join all others. No rule of its own belongs here beyond the order in which
things begin and end.
"""
