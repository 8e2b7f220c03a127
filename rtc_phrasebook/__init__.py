"""The embedded engine: a phrasebook recognised by a grammar, and translated by looking it up.

Input: a segment of English or Russian. Output: the phrase of the book with its slots filled, or
"not understood" with similar phrases.

Read `engine` first, then `recognizer`: `decoder` (PocketSphinx) finds the best path through the
word `network`, and `rejection` judges it against free phones. `book` reads the files, `pattern` and
`fillers` expand phrases and slots, `pronounce` gives words their phones, `listing` shows phrases.

It is a plug-in like those of other packages, in the distribution of the server: `ENGINE` is found
by its entry point, the only module of the server that is imported is `rtc_server.engines.contract`,
and the server imports nothing of this package. The book and the changes of the acoustic model are
in `data`. `listing` and `book` load no library of the engine; `engine.create` loads PocketSphinx
and espeak-ng in the engine's own process.
"""

from rtc_server.engines.contract import EnginePlugin, PluginOption

ENGINE = EnginePlugin(
    contract=1,
    kind="ast",
    title="Phrasebook",
    licence="Apache-2.0; PocketSphinx BSD-2-Clause; eSpeak NG GPL-3.0-or-later",
    languages=("en", "ru"),
    create="rtc_phrasebook.engine:create",
    needs=("pocketsphinx", "espeakng_loader"),
    phrases="rtc_phrasebook.listing:suggested",
    options=(
        PluginOption(
            name="phrasebook",
            type=tuple[str, ...],
            default=(),
            help="further phrasebook files for the phrasebook engine, comma separated",
        ),
    ),
)
"""Plug-in that the entry point ``phrasebook`` names."""
