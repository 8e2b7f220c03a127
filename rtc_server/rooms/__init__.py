"""Rooms: one speaker, and many listeners and readers in their own languages.

Input: a speaker's audio, and the languages that listeners choose. Output, for each language: one
stream of Opus packets that all its listeners share, and captions.

Read `room` first: a speaker (`room_speaker`), listeners and readers (`room_audience`), their
transports (`room_peers`), and the end. `room_manager` is the registry and implements
`room_api.Rooms` for signaling; `languages` starts and stops a `tracks.TranslationTrack` for each
language with listeners or readers; `shared_segmenter` segments the speech once for all of them;
`caption_tape` keeps captions for late readers; `peer` is a participant's transport. `room_settings`
has the limits.

However many people listen, voice activity is detected once, a partial is requested once, and a
language is spoken and encoded once. Nothing here knows HTTP.
"""
