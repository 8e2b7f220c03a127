"""NVIDIA Canary: speech translation through NeMo, transformers or ONNX Runtime.

Input: batches of `AstRequest`s. Output: transcripts and translations, checked against invention.

Read `translator` first: `CanaryAst`, the same for every runtime. Its `Writer` is `nemo_writer`
(``canary``), `hf_writer` (``canary-hf``) or `onnx_writer` (``canary-onnx``); `engine` has the three
factories. `greedy`, `layers` and `buffers` are a decoder for NeMo that reads every weight once a
token.

torch, NeMo and transformers are imported when a factory runs, not before. Nothing is downloaded.
"""
