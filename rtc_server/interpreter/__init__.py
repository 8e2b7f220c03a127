"""Interpreter: from received PCM to captions and translated speech, of one speaker's stream.

Input: speech-rate PCM (`AudioInput.feed`). Output: captions as events, transcripts, and 20 ms
frames to play (`Interpreter.next_frame`).

Read `interpreter` first, which joins the parts. `audio_input` takes the audio: `speech_segmenter`
cuts the stream into segments, and the own-voice guard judges them. `segment_translation` sends them
to the engine by `passes`, `conclusion` awaits the answers in order, `publisher` publishes committed
text, and `speech_output` turns it into speech by `synthesis`. In the modes that translate speech
while it is spoken, `simultaneous_translation` takes the hypotheses, and `simultaneous` joins
`commit_policy` (which words stay), `clause_gate` (which words are spoken) and `window` (which audio
the engine gets). `modes` has the figures of each mode, such as the interval between passes;
`backlog` sets tempo and omissions.

`segmenter_settings` has the defaults of endpointing, the hangover among them;
`interpreter_settings` those of languages and mode, and the interval of partial captions.

The engines are behind `ports`; nothing here knows their processes, transports or HTTP. Committed
text is never withdrawn, and text that was given to the synthesis is never revised.
"""
