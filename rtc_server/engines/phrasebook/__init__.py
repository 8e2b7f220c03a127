"""The embedded engine: a phrasebook recognised by a grammar, and translated by looking it up.

In goes a segment of English or Russian; out comes the phrase of the book with its slots filled, or
"not understood" with phrases that are near.

Read `engine` first, then `recognizer`: `decoder` (PocketSphinx) finds the best path through the
word `network`, and `rejection` judges it against free phones. `book` reads the files, `pattern` and
`fillers` expand phrases and slots, `pronounce` gives words their phones, `listing` shows phrases.

`listing` and `book` need the standard library alone; PocketSphinx and espeak-ng are loaded by
`engine.create`, in the engine's own process.
"""
