"""Tests with NeMo need the ``canary`` extra; without it they fail at their imports, on purpose."""

import os
import warnings

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what NeMo's libraries deprecate among each other is theirs
    import nemo.collections.asr.models  # noqa: F401

    import rtc_server.engines.canary.hf_writer
    import rtc_server.engines.canary.nemo_writer  # noqa: F401
