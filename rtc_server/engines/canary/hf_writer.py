"""Canary through transformers (5.23 or later), for machines that do without NeMo.

The encoder runs once a segment here too, and its output is repeated for each text wanted of it:
``generate`` (which keeps cross-attention keys and values) gets that instead of the audio. Prompts
come from the checkpoint's own chat template.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoProcessor, CanaryForConditionalGeneration
from transformers.utils import logging as transformers_logging

from rtc_server.engines.base import Pair
from rtc_server.engines.canary.device import (
    choose_device,
    choose_dtype,
    no_room,
    on_device,
)
from rtc_server.engines.canary.files import not_canary, open_folder
from rtc_server.engines.canary.prompts import known_languages
from rtc_server.engines.canary.translator import Wanted, Written, without_repeats
from rtc_server.engines.heap import return_memory
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import SPEECH_RATE, Samples


class HfWriter:
    """See `Writer`. Owned by one thread."""

    continues = aligns = False

    def __init__(self, model: Any, processor: Any, device: str, title: str) -> None:
        """Take over a loaded model; `device` is ``cpu`` or ``cuda``."""
        self.model, self.device, self.title = model.to(device).eval(), device, title
        self.precision = str(model.dtype).removeprefix("torch.")
        self._processor = processor
        self._end: int = model.config.eos_token_id
        self._prompts: dict[Pair, Any] = {}
        self.languages = known_languages(processor.tokenizer.get_vocab().__contains__)

    @classmethod
    def load(cls, model: str, device: str, models_dir: Path) -> "HfWriter":
        """Load `model`, a folder or a name; all as in `EngineOptions`.

        Raises:
            EngineUnavailable: no such model or device here, or the model is no Canary.
        """
        transformers_logging.set_verbosity_error()
        chosen = choose_device(device)
        title = f"NVIDIA Canary through transformers ({Path(model).name})"
        try:
            with open_folder(
                model, models_dir, "canary-hf", "config.json"
            ) as folder:  # open until the weights are moved
                processor, loaded = _load(folder, choose_dtype(chosen))
                writer = cls(loaded, processor, chosen, title)
        except torch.OutOfMemoryError as exc:
            raise no_room() from exc
        return_memory()
        return writer

    def write(
        self, waves: Sequence[Samples], wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]
    ) -> list[list[Written]]:
        """See `Writer.write`."""
        distinct, among = without_repeats(waves)
        rows = [place for place, texts in zip(among, wanted, strict=True) for _ in texts]
        prompts = torch.stack(
            [self._prompt((text.source, text.language)) for texts in wanted for text in texts]
        )
        with on_device(give_back=lambda: None), torch.inference_mode():
            encoded = self.encode(distinct)
            generated = self.model.generate(
                encoder_outputs=type(encoded)(
                    last_hidden_state=encoded.last_hidden_state[rows],
                    attention_mask=encoded.attention_mask[rows],
                ),
                decoder_input_ids=prompts.to(self.device),
                # Else it puts a start token of its own before the prompt.
                decoder_start_token_id=int(prompts[0, 0]),
                max_new_tokens=max(limits),
                do_sample=False,
                num_beams=1,
            )
        tokens = iter(generated[:, prompts.shape[1] :].tolist())
        return [
            [self._written(next(tokens), limit) for _ in texts]
            for texts, limit in zip(wanted, limits, strict=True)
        ]

    def encode(self, waves: Sequence[Samples]) -> Any:
        """Encoder output: states (segments, frames, width) and which frames are real."""
        features = self._processor.feature_extractor(
            list(waves), sampling_rate=SPEECH_RATE, return_tensors="pt"
        ).to(self.device)
        return self.model.get_encoder()(
            features.input_features.to(self.model.dtype),
            attention_mask=features.attention_mask,
            output_attention_mask=True,
        )

    def _written(self, tokens: list[int], limit: int) -> Written:
        tokens = tokens[:limit]
        complete = self._end in tokens
        if complete:
            tokens = tokens[: tokens.index(self._end)]
        text = self._processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return Written(text, complete)

    def _prompt(self, pair: Pair) -> Any:
        """Return the tokens before a text, as the checkpoint's chat template has them, each made
        once.
        """
        if pair not in self._prompts:
            request = self._processor.apply_transcription_request(
                audio=[torch.zeros(SPEECH_RATE).numpy()],
                source_language=[pair[0]],
                target_language=[pair[1]],
            )
            self._prompts[pair] = request["decoder_input_ids"][0]
        return self._prompts[pair]


def _load(folder: Path, dtype: Any) -> tuple[Any, Any]:
    """Load processor and model from a folder.

    Raises:
        EngineUnavailable: it holds something else, or not all of it.
    """
    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
        model = CanaryForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, dtype=dtype
        )
    except Exception as exc:  # whatever a missing or damaged file makes transformers raise
        raise EngineUnavailable(
            f"{folder} could not be loaded ({type(exc).__name__}). It must hold a whole Canary as "
            "converted for transformers. A .nemo file runs with --ast canary."
        ) from exc
    if not hasattr(processor, "apply_transcription_request"):
        raise not_canary(folder)
    return processor, model
