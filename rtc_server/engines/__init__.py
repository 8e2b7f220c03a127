"""Engines: speech translation (AST) and speech synthesis (TTS), and the processes they run in.

Input: segments of 16 kHz PCM with a language pair, or a text with a language. Output: `AstResult`s,
or chunks of PCM. An engine is a module with a `create` function; it is loaded, called and ended in
a process of its own.

Read `base` first: the protocols `Ast` and `Tts`, and the capabilities (`deadline_s` among them) by
which the server treats all engines. `registry` knows their names, and finds those of other packages
by `plugin_discovery`; such an engine may import only `contract`. Sessions call `service`. Below it,
`batcher` orders waiting requests, `host` starts and restarts a process, `hang` distinguishes a slow
call from a hung one (deadlines), `process` and `worker` are the two ends of the pipe, and `wire`
its messages. `engine_settings` has the options, queues and time limits.

No engine is imported in the server's process: its libraries may crash, block and keep the GIL. The
speech and texts of an engine must not reach the log.
"""
