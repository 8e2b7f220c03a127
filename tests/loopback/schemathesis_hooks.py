"""Serialisation for Schemathesis of bodies that are neither JSON nor forms."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def text(_context: object, value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")
