"""A self-hosted live interpreter over WebRTC."""

__version__ = "0.1.0"
