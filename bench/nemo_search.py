"""NeMo's own greedy search, which our decoding of Canary is compared with."""

from typing import Any


def nemo_greedy(model: Any, states: Any, counts: Any, prompts: Any, tokens: int) -> Any:
    """Exactly NeMo's own greedy search for `tokens` tokens: its tokens, (texts, tokens)."""
    found, *_ = nemo_search(model, states, counts, prompts, tokens)
    return found[:, prompts.shape[-1] :]


def nemo_search(
    model: Any, states: Any, counts: Any, prompts: Any, tokens: int, *, attention: bool = False
) -> Any:
    """Return everything that NeMo's own greedy search returns; with `attention` also the scores of
    every layer, last.
    """
    import torch  # noqa: PLC0415
    from nemo.collections.asr.modules.transformer import GreedySequenceGenerator  # noqa: PLC0415

    segments, texts, prompt_length = prompts.shape
    search = GreedySequenceGenerator(
        embedding=model.transf_decoder.embedding,
        decoder=model.transf_decoder.decoder,
        classifier=model.log_softmax,
        pad=model.tokenizer.pad_id,
        bos=model.tokenizer.bos_id,
        eos=model.tokenizer.eos_id,
        max_sequence_length=prompt_length + tokens,
        max_delta_length=-1,
        return_xattn_scores=attention,
    )
    frames = torch.arange(states.shape[1], device=states.device)
    mask = (frames[None] < counts[:, None]).to(states.dtype)
    model.eval()
    return search(
        encoder_hidden_states=states.repeat_interleave(texts, 0),
        encoder_input_mask=mask.repeat_interleave(texts, 0),
        decoder_input_ids=prompts.reshape(segments * texts, prompt_length),
    )
