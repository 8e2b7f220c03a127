"""A self-hosted live interpreter over WebRTC."""

import os

__version__ = "0.1.0"

# onnxruntime (1.32, for one) reports its use to Microsoft unless told not to before it is imported.
# What is set here reaches the engines' processes too.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# So small are the matrices of voice activity detection that a second thread only costs. OpenBLAS,
# beneath numpy, asks for the number of its threads when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
