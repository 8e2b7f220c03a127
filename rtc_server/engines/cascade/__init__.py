"""Open vocabulary on an ordinary CPU: a recogniser for each language, then machine translation.

``--ast laptop``. Input: a segment of speech. Output: its transcript and the translation of that
transcript; the speech itself is not translated. No torch: ONNX Runtime recognises (CTranslate2 for
Whisper), Firefox's translation models (through ``fxtranslate``) translate.

Read `cascade` first: one segment from audio to both texts. `recognizer` is the interface to
whatever recognises: `ctc` (GigaAM) and `tdt` (Parakeet) are two kinds, on `features` and
`vocabulary`, `whisper` a third, on `byte_pairs` and the network in `whisper_model`. `translation`
joins language pairs through English. `installed` finds the models that were fetched and opens their
files only after checking the hash; `engine` puts all of it together.

Nothing here downloads anything, and nothing imports these libraries before the factory is called in
the engine's process.
"""
