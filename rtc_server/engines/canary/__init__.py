"""NVIDIA Canary: speech translation through NeMo (``canary``) or transformers (``canary-hf``)."""
