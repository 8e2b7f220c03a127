"""Canary on ONNX Runtime, without PyTorch, in the layout that onnx-asr's author publishes.

``encoder-model`` gives encoder states of log mel features, ``decoder-model`` the next token of each
text from those and from what it remembers (``decoder_mems``, which grows by a token a step),
``vocab.txt`` the tokens: one a line, with its number. Files named ``….int8.onnx`` are preferred.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rtc_server.engines.canary.files import open_folder
from rtc_server.engines.canary.onnx_decoder import Integers, OnnxDecoder
from rtc_server.engines.canary.pieces import Pieces
from rtc_server.engines.canary.prompts import SLOTS, known_languages
from rtc_server.engines.canary.translator import Wanted, Written, without_repeats
from rtc_server.engines.canary.vocabulary import END, WORD_SIGN, VocabularyTokenizer
from rtc_server.engines.cascade.features import Floats, NemoMel
from rtc_server.engines.onnx_session import open_session
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import Samples

_ADVICE = "Run: rtc-server models fetch canary-1b-v2-int8"


class OnnxWriter:
    """See `Writer`. Owned by one thread."""

    device = "cpu"
    continues, aligns = True, False

    def __init__(self, folder: Path, threads: int, title: str) -> None:
        """Load the model in `folder`; a call computes on up to `threads` threads.

        Raises:
            EngineUnavailable: it holds no such model.
        """
        suffix = ".int8" if (folder / "encoder-model.int8.onnx").exists() else ""
        self.precision = suffix.strip(".") or "float32"
        self.title = title
        try:
            lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
            part = partial(self._open_part, threads)
            with (folder / f"encoder-model{suffix}.onnx").open("rb") as file:
                self._encoder = part(file, "encoder")
            with (folder / f"decoder-model{suffix}.onnx").open("rb") as file:
                self._decoder = OnnxDecoder.load(file, title, part)
        except (OSError, UnicodeDecodeError) as exc:
            raise EngineUnavailable(
                f"{title}: {getattr(exc, 'filename', None) or folder} cannot be read. {_ADVICE}"
            ) from exc
        tokenizer = VocabularyTokenizer([line.rsplit(" ", 1)[0] for line in lines])
        self._numbers, self._end = tokenizer.numbers, tokenizer.eos_id
        self._fixed = self._prompt_numbers()
        self._pieces = Pieces(tokenizer)
        self._inside_word = self._pieces.inside_word()
        self._mel = NemoMel()
        self.languages = known_languages(self._numbers.__contains__)

    def _open_part(self, threads: int, file: BinaryIO, part: str) -> Any:
        return open_session(file, f"{self.title}, {part},", threads, _ADVICE)

    @classmethod
    def load(cls, model: str, threads: int, models_dir: Path) -> "OnnxWriter":
        """Load `model`, a folder or a name, as in `EngineOptions`.

        Raises:
            EngineUnavailable: no such model is here, or it is no Canary.
        """
        title = f"NVIDIA Canary on ONNX Runtime ({Path(model).name})"
        with open_folder(model, models_dir, "canary-onnx", "vocab.txt") as folder:
            return cls(folder, threads, title)

    def write(
        self, waves: Sequence[Samples], wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]
    ) -> list[list[Written]]:
        """See `Writer.write`."""
        distinct, among = without_repeats(waves)
        states, mask = self._encode(distinct)
        rows = [place for place, texts in zip(among, wanted, strict=True) for _ in texts]
        prompts = [self._prompt(one.source, one.language) for texts in wanted for one in texts]
        most = [limit for texts, limit in zip(wanted, limits, strict=True) for _ in texts]
        prefixes = [
            self._pieces.fitting_prefix(one.committed, limit)
            for texts, limit in zip(wanted, limits, strict=True)
            for one in texts
        ]
        written = iter(self._decode(states[rows], mask[rows], prompts, prefixes, most))
        return [[next(written) for _ in texts] for texts in wanted]

    def _encode(self, waves: Sequence[Samples]) -> tuple[Floats, Integers]:
        """Encoder states (segments, frames, width), and 1 where a frame is real."""
        features = [self._mel(wave)[0] for wave in waves]
        counts = np.array([each.shape[1] for each in features], np.int64)
        batch = np.zeros((len(waves), len(features[0]), int(counts.max())), np.float32)
        for row, each in zip(batch, features, strict=True):
            row[:, : each.shape[1]] = each
        states, mask = self._encoder.run(None, {"audio_signal": batch, "length": counts})
        return states, mask

    def _decode(
        self,
        states: Floats,
        mask: Integers,
        prompts: Sequence[Sequence[int]],
        prefixes: Sequence[Sequence[int]],
        limits: Sequence[int],
    ) -> list[Written]:
        """Write a text greedily for each row; those that have ended leave the batch.

        The graph takes rows of one length. So what all prefixes have room for is read with the
        prompts, in one pass, and the rest of a longer one takes the place of what its row would
        have written.
        """
        together = min(map(len, prefixes))
        written = [list(prefix[:together]) for prefix in prefixes]
        complete = [False] * len(prompts)
        live = np.arange(len(prompts))
        begun = [(*p, *own) for p, own in zip(prompts, written, strict=True)]
        tokens = np.array(begun, np.int64)
        texts = self._decoder.begin(states, mask)
        while len(live):
            rows = live.tolist()
            parts = [(written[row], prefixes[row]) for row in rows]
            following = following_tokens(texts.next(tokens), parts, self._inside_word)
            goes_on = np.zeros(len(live), bool)
            for place, (row, token) in enumerate(zip(rows, following, strict=True)):
                complete[row] = token == self._end
                if not complete[row]:
                    written[row].append(token)
                    goes_on[place] = len(written[row]) + 1 < limits[row]
            live = live[goes_on]
            texts.keep(goes_on)
            tokens = np.array(following, np.int64)[goes_on][:, None]
        return [Written(self._pieces.text(w), c) for w, c in zip(written, complete, strict=True)]

    def _prompt(self, source: str, target: str) -> tuple[int, ...]:
        """Return the tokens before a text, as NeMo's formatter of the format canary2
        writes them.
        """
        before, after = self._fixed
        languages = (self._numbers[f"<|{source}|>"], self._numbers[f"<|{target}|>"])
        return (*before, *languages, *after)

    def _prompt_numbers(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the parts of a prompt before and after its languages. Raises: it is no Canary."""
        before = (WORD_SIGN, "<|startofcontext|>", "<|startoftranscript|>", SLOTS["emotion"])
        after = tuple(SLOTS[name] for name in ("pnc", "itn", "timestamp", "diarize"))
        if missing := [t for t in (*before, *after, END) if t not in self._numbers]:
            raise EngineUnavailable(
                f"{self.title} is not a Canary model: it has no {missing[0]}. {_ADVICE}"
            )
        first, second = (tuple(self._numbers[t] for t in part) for part in (before, after))
        return first, second


def following_tokens(
    scores: Floats,
    parts: Sequence[tuple[Sequence[int], Sequence[int]]],
    inside_word: list[int],
) -> list[int]:
    """Return the next token of each text: that of its prefix, or behind it the likeliest.

    Args:
        scores: of each text and token, shape (texts, vocabulary); is written to.
        parts: the tokens of each text so far, and its prefix.
        inside_word: tokens that would lengthen the word before them.
    """
    following = []
    for row, (tokens, prefix) in zip(scores, parts, strict=True):
        if len(tokens) < len(prefix):
            following.append(prefix[len(tokens)])
            continue
        if prefix and len(tokens) == len(prefix):
            row[inside_word] = -np.inf  # the word that is committed stays as it is
        following.append(int(row.argmax()))
    return following
