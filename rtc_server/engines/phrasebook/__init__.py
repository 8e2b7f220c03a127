"""The embedded interpreter: grammar recognition of a phrasebook, both ways.

`listing` and `book` need the standard library alone; PocketSphinx and espeak-ng are loaded by
`engine.create`, in the engine's own process.
"""
