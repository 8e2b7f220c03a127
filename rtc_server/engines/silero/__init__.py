"""Speech synthesis with Silero's models: six languages at 48 kHz, on a CPU or a GPU.

Input: a text as people write it. Output: one chunk of PCM for each clause, the first one short.

Read `engine` first. `clauses` cuts the text, `silero_text` turns it into the model's alphabet (with
`russian`, `english` and `number_reading` for numbers and signs), `stress` sets stress marks,
`model` loads and calls one model, and `voices` knows which one speaks which language.

torch is imported when the factory runs. A character outside the model's alphabet must not reach it.
"""
