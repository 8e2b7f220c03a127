"""Engines: speech translation (AST) and speech synthesis (TTS), and the processes they run in.

In go segments of 16 kHz PCM with a language pair, or a text with a language; out come `AstResult`s,
or chunks of PCM. An engine is a module with a `create` function; it is loaded, called and ended in
a process of its own.

Read `base` first: the protocols `Ast` and `Tts`, and the capabilities (`deadline_s` among them) by
which the server treats engines alike. `registry` knows the names, those of other packages by
`plugin_discovery`; what their engines may import is `contract`. `service` is what sessions call;
below it `batcher` orders what waits, `host` keeps a process alive, `hang` tells a slow call from a
hung one (deadlines), `process` and `worker` are the two ends of the pipe, `wire` its messages.

No engine is imported in the server's process: its libraries may crash, block and keep the GIL. What
an engine heard or wrote must not reach the log.
"""
