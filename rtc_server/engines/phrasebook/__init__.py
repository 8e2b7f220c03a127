"""The embedded engine: a phrasebook recognised by a grammar, and translated by looking it up.

In goes a segment of English or Russian; out comes the phrase of the book with its slots filled, or
"not understood" with phrases that are near.

Read `engine` first, then `recognizer`: `decoder` (PocketSphinx) finds the best path through the
word `network`, and `rejection` judges it against free phones. `book` reads the files, `pattern` and
`fillers` expand phrases and slots, `pronounce` gives words their phones, `listing` shows phrases.

A plug-in as anybody's: `ENGINE` is found by this package's entry point, and nothing is imported but
`rtc_server.engines.contract`, and the files and install command of the distribution that it is in.
`listing` and `book` load no library of the engine; PocketSphinx and espeak-ng are loaded by
`engine.create`, in the engine's own process.
"""

from rtc_server.engines.contract import EnginePlugin

ENGINE = EnginePlugin(
    contract=1,
    kind="ast",
    title="Phrasebook",
    licence="Apache-2.0; PocketSphinx BSD-2-Clause; eSpeak NG GPL-3.0-or-later",
    languages=("en", "ru"),
    create="rtc_server.engines.phrasebook.engine:create",
    needs=("pocketsphinx", "espeakng_loader"),
    phrases="rtc_server.engines.phrasebook.listing:suggested",
)
"""Named by the entry point ``phrasebook``."""
