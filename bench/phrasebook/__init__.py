"""Measurements of the engine in `rtc_phrasebook`, and the two that make its numbers.

    python -m bench.phrasebook          accuracy by voice, false accepts, times (`accuracy`)
    python -m bench.phrasebook.people   prompts of real people that are not in the book
    python -m bench.phrasebook.early    translations begun before the end, and given up
    python -m bench.phrasebook.adapt    writes the moves of the acoustic model
    python -m bench.phrasebook.fit      weights of the rejection

Read `voices` and `sets` first: speakers, and what they say. `other` is what must be refused.
"""
