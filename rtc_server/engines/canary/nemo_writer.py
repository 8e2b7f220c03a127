"""Canary through NeMo, by the direct path: mel features, encoder, `GreedyDecoder`.

Not through ``transcribe``, which has one language pair a call, a data loader and temporary files,
and leaves the encoder in train mode: the next call would rewrite its BatchNorm statistics for good.
NeMo 3.0.0 facts it rests on: a restored model is in train mode too; ``restore_from`` takes along an
aligner for timestamps (2.4 GB nobody needs here) unless the configuration says otherwise; and the
mel filterbank rounded to bfloat16 costs a hundred times the error of rounded weights.

NeMo is imported for a file that is whole, on a device that is there: its import takes 13 s of CPU,
too long to wait for a refusal.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch

from rtc_server.engines.canary.alignment import DEFAULT_HEADS, LayerHeads, parse_heads
from rtc_server.engines.canary.archive import unpacked
from rtc_server.engines.canary.device import (
    choose_device,
    choose_dtype,
    no_room,
    on_device,
)
from rtc_server.engines.canary.files import not_canary, open_archive
from rtc_server.engines.canary.greedy import Decoded, GreedyDecoder
from rtc_server.engines.canary.pieces import Pieces
from rtc_server.engines.canary.prompts import NemoPrompts, known_languages
from rtc_server.engines.canary.translator import (
    MAX_AUDIO_S,
    MAX_BATCH,
    Wanted,
    Written,
    without_repeats,
)
from rtc_server.engines.heap import return_memory
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import Samples


class NemoWriter:
    """See `Writer`. Owned by one thread; never call the model's own ``transcribe`` beside it."""

    continues = aligns = True

    def __init__(
        self, model: Any, device: str, title: str, heads: Sequence[LayerHeads] = ()
    ) -> None:
        """Take over a restored `model`; `device` is ``cpu`` or ``cuda``. `heads` say where in the
        audio words are; by default `DEFAULT_HEADS`.

        Raises:
            EngineUnavailable: its decoder has no such heads.
            ValueError: its decoder is not of the kind that Canary has.
        """
        self.model, self.device, self.title = model, device, title
        self._dtype = choose_dtype(device)
        self.precision = str(self._dtype).removeprefix("torch.")
        _convert(model, device, self._dtype)
        tokenizer = model.tokenizer
        self._pieces = Pieces(tokenizer)
        self.decoder = GreedyDecoder(
            model.transf_decoder,
            model.log_softmax,
            end=tokenizer.eos_id,
            pad=tokenizer.pad_id,
            inside_word=self._pieces.inside_word(),
            heads=heads or parse_heads(DEFAULT_HEADS),
        )
        if device == "cuda":
            self.decoder.reserve(MAX_BATCH, 2, MAX_AUDIO_S)
        self._prompts = NemoPrompts(model)
        self.languages = known_languages(frozenset(tokenizer.vocab).__contains__)

    @classmethod
    def load(
        cls, model: str, device: str, models_dir: Path, heads: str = DEFAULT_HEADS
    ) -> "NemoWriter":
        """Restore `model`, a path or a name; all as in `EngineOptions`.

        Raises:
            EngineUnavailable: no such model or device here, or the model is no Canary.
        """
        chosen, chosen_heads = choose_device(device), parse_heads(heads)
        path, handle = open_archive(model, models_dir)
        try:
            with handle:
                restored = restore(handle, path)
            title = f"NVIDIA Canary through NeMo ({path.stem})"
            writer = cls(restored, chosen, title, chosen_heads)
        except ValueError as exc:
            raise not_canary(path) from exc
        except torch.OutOfMemoryError as exc:
            raise no_room() from exc
        return_memory()
        return writer

    def write(
        self, waves: Sequence[Samples], wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]
    ) -> list[list[Written]]:
        """See `Writer.write`."""
        with on_device(give_back=self.decoder.forget), torch.inference_mode():
            distinct, among = without_repeats(waves)
            states, frame_counts = self.encode(distinct)
            states, frame_counts = states[among], frame_counts[among]
            prompts, most = self.asked(wanted, limits)
            prefixes = self.prefixes(wanted, limits)
            decoded = self.decoder.decode(states, frame_counts, prompts, most, prefixes)
        return [
            [self._written(one) for one in texts[: len(asked)]]
            for texts, asked in zip(decoded, wanted, strict=True)
        ]

    def _written(self, decoded: Decoded) -> Written:
        spelled = self._pieces.spelled(decoded.tokens)
        return Written(
            self._pieces.text(decoded.tokens),
            decoded.complete,
            tuple(zip(spelled, decoded.frames, strict=True)),
        )

    def encode(self, waves: Sequence[Samples]) -> tuple[Any, Any]:
        """Encoder states (segments, frames, width), and how many frames of each are real."""
        model = self.model
        model.eval()  # whatever NeMo or a debugger did to it in between
        signals = [torch.from_numpy(wave) for wave in waves]
        lengths = torch.tensor([len(signal) for signal in signals], device=self.device)
        signal = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True).to(self.device)
        features, feature_counts = model.preprocessor(input_signal=signal, length=lengths)
        states, frame_counts = model.encoder(
            audio_signal=features.to(self._dtype), length=feature_counts
        )
        states = model.encoder_decoder_proj(states.permute(0, 2, 1))
        if model.use_transf_encoder:
            frames = torch.arange(states.shape[1], device=self.device)
            mask = (frames[None] < frame_counts[:, None]).to(states.dtype)
            states = model.transf_encoder(encoder_states=states, encoder_mask=mask)
        return states, frame_counts

    def asked(self, wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]) -> tuple[Any, Any]:
        """Return prompts and limits, both (segments, texts); a segment with fewer texts is filled
        up.
        """
        most = max(map(len, wanted))
        filler = self._prompts.tokens(wanted[0][0].source, wanted[0][0].language)
        prompts = [
            [self._prompts.tokens(text.source, text.language) for text in texts]
            + [filler] * (most - len(texts))
            for texts in wanted
        ]
        rows = [
            [limit] * len(texts) + [0] * (most - len(texts))
            for texts, limit in zip(wanted, limits, strict=True)
        ]
        return torch.tensor(prompts, device=self.device), torch.tensor(rows)

    def prefixes(
        self, wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]
    ) -> list[list[tuple[int, ...]]]:
        """Return the tokens that each text begins with, in the shape of what `asked` gives."""
        most = max(map(len, wanted))
        return [
            [self._pieces.fitting_prefix(text.committed, limit) for text in texts]
            + [()] * (most - len(texts))
            for texts, limit in zip(wanted, limits, strict=True)
        ]


def restore(handle: BinaryIO, path: Path) -> Any:
    """Return the ``EncDecMultiTaskModel`` in a ``.nemo`` file, on the CPU, in eval mode, frozen.

    Args:
        handle: the file, which is all that is read.
        path: its name, for messages, and beside which it is unpacked.

    Raises:
        EngineUnavailable: the file is cut short or damaged, or holds something else; or there is no
            room to unpack it.
    """
    with unpacked(handle, path) as folder:
        model = _restored(folder, path)
    return_memory()
    model.freeze()
    model.preprocessor.featurizer.dither = 0.0
    model.preprocessor.featurizer.pad_to = 0
    return model


def _restored(folder: Path, path: Path) -> Any:
    """Return the model in an unpacked ``.nemo`` file."""
    from nemo.collections.asr.models import ASRModel, EncDecMultiTaskModel  # noqa: PLC0415
    from nemo.core.connectors.save_restore_connector import (  # noqa: PLC0415
        SaveRestoreConnector,
    )
    from nemo.utils import logging as nemo_logging  # noqa: PLC0415
    from omegaconf import OmegaConf  # noqa: PLC0415

    nemo_logging.set_verbosity(nemo_logging.ERROR)
    logging.getLogger("nemo_logger").setLevel(logging.ERROR)
    connector = SaveRestoreConnector()
    connector.model_extracted_dir = str(folder)
    try:
        configuration = ASRModel.restore_from(
            str(path), return_config=True, save_restore_connector=connector
        )
        if configuration.get("prompt_format") != "canary2":
            raise not_canary(path)  # noqa: TRY301 (before minutes go by)
        OmegaConf.set_struct(configuration, False)
        configuration.restore_timestamps_model = False
        model = ASRModel.restore_from(
            str(path),
            map_location="cpu",
            override_config_path=configuration,
            save_restore_connector=connector,
        )
    except EngineUnavailable:
        raise
    except Exception as exc:  # whatever a damaged file makes NeMo raise
        raise EngineUnavailable(
            f"{path} could not be restored ({type(exc).__name__}). It may be damaged, or made by "
            "another version of NeMo. Check it with `rtc-server models verify`."
        ) from exc
    if not isinstance(model, EncDecMultiTaskModel):
        raise not_canary(path)
    return model


def _convert(model: Any, device: str, dtype: Any) -> None:
    """Round all weights to `dtype` except what makes the features, and move them."""
    parts = [model.encoder, model.encoder_decoder_proj, model.transf_decoder, model.log_softmax]
    if model.use_transf_encoder:
        parts.append(model.transf_encoder)
    for part in parts:
        part.to(dtype)
    model.to(device)
