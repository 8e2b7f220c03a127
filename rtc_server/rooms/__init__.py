"""Rooms: one speaker, and many listeners and readers in their own languages.

In come a speaker's audio and the wishes of listeners; out go, for each language, one stream of Opus
packets that all its listeners share, and captions.

Read `room` first: a speaker (`room_speaker`), those who listen (`room_audience`), all of their
transports (`room_peers`), and the end.
`room_manager` is the registry and implements `room_api.Rooms` for signaling; `languages` starts and
stops a `tracks.TranslationTrack` for each language that somebody wants; `shared_segmenter`
segments the speech once for all of them; `caption_tape` keeps what readers are sent; `peer` is a
participant's transport.

Speech is detected once, a partial is asked once, and a language is spoken and encoded once, however
many there are. Nothing here knows HTTP.
"""
