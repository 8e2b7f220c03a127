"""A model with the outside of Silero's: tests pack this file as theirs is packed.

Behaviour that our code relies on or guards against, written anew: a plain object around a
TorchScript core; unknown characters dropped without a word; whole texts only; SSML of two tags;
every failure of the core told as "too long"; a fault at will.
"""

import xml.etree.ElementTree as ET
from typing import Any

import torch

RATES = {"x-slow": 0.5, "slow": 0.8, "medium": 1.0, "fast": 1.2, "x-fast": 1.5}


class TinyCore(torch.nn.Module):  # type: ignore[misc]
    """Symbols in, a tone of 60 to 100 ms for each out."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        self.register_buffer("frames", torch.randint(5, 9, (symbols,), generator=generator))
        self.register_buffer("hz", 200.0 + 800.0 * torch.rand(symbols, generator=generator))

    def forward(self, sequence: torch.Tensor, voice: int, rate: float, sr: int) -> torch.Tensor:
        frames = torch.clamp(torch.round(self.frames[sequence[0]] / rate), min=1.0).to(torch.int64)
        hz = torch.repeat_interleave(self.hz[sequence[0]], frames * int(sr * 0.0125))
        phase = torch.cumsum(hz * (1.0 + 0.1 * voice), 0) / float(sr)
        return (0.4 * torch.sin(6.283185307 * phase)).unsqueeze(0)


class TTSModelMultiAcc_v3:  # noqa: N801 (Silero's name)
    """Speaks with any of `speakers` at 8, 24 or 48 kHz."""

    def __init__(
        self, core: Any, alphabet: str, speakers: tuple[str, ...], percent: bool = True
    ) -> None:
        self.core = core
        self.symbols = "_~|" + alphabet
        self.speakers = list(speakers)
        self.percent = percent
        self.device = torch.device("cpu")
        self.texts: list[str] = []
        self.faults: list[bool] = []

    def to(self, device: Any) -> None:
        self.device = device

    def apply_tts(  # noqa: PLR0917 (Silero's own signature)
        self,
        text: Any = None,
        ssml_text: Any = None,
        speaker: str = "xenia",
        sample_rate: int = 48000,
        put_accent: bool = True,
        put_yo: bool = True,
    ) -> Any:
        assert sample_rate in [8000, 24000, 48000]
        assert speaker in self.speakers
        rate = 1.0
        if ssml_text is not None:
            try:
                prosody = ET.fromstring(ssml_text)[0]
            except ET.ParseError:
                raise ValueError("Invalid XML format") from None
            named = prosody.attrib["rate"]
            assert self.percent or named in RATES
            rate = int(named[:-1]) / 100 if named.endswith("%") else RATES[named]
            text = prosody.text
        self.texts.append(text)
        clean = [char for char in text.lower() if char in self.symbols]
        if not any(char.isalpha() for char in clean):
            raise ValueError("No text left after cleaning")
        try:
            return self._tones(clean, self.speakers.index(speaker), rate, sample_rate)
        except RuntimeError:
            raise Exception("Model couldn't generate your text, probably it's too long") from None  # noqa: TRY002

    def _tones(self, clean: list[str], voice: int, rate: float, sample_rate: int) -> Any:
        if len(clean) > 1000 or (self.faults and self.faults.pop(0)):
            raise RuntimeError("CUDA error: repeat_interleave")
        ids = torch.tensor([[self.symbols.index(char) for char in clean]])
        return self.core(ids, voice, rate, sample_rate)[0]
