"""Splitter of ``multipart/form-data`` bodies that lie in memory whole (RFC 7578, RFC 2046 §5.1).

aiohttp's reader looks for boundaries line by line and never yields while the body is in memory:
one of 128 kB with 18,724 empty parts held the event loop for 4.5 s. Here the body is cut at its
delimiter a bounded number of times, so that it costs a few searches.
"""

import re

from rtc_server.errors import RemoteError

MAX_PARTS = 8
"""Parts of one body; a call has two fields, and forms of others may carry some more."""
HEADER_LIMIT_BYTES = 4096
"""Longest header block of one part."""

_BOUNDARY = re.compile(
    r';\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^\s";,]{1,70})\s*(?:;|$))', re.I
)
_DISPOSITION = re.compile(
    rb"^content-disposition[ \t]*:[ \t]*form-data[ \t]*;([^\r\n]*)$", re.IGNORECASE | re.MULTILINE
)
_NAME = re.compile(rb'(?:^|;)[ \t]*name[ \t]*=[ \t]*(?:"([^"\r\n]*)"|([^\s";]+))', re.IGNORECASE)


def split_form(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Return the parts of a form as (name, content), in their order.

    The name of a part without one is empty; transfer encodings are not undone (RFC 7578 §4.7).

    Args:
        content_type: value of the Content-Type header, with its boundary.
        body: all of it; nothing may stand before the first boundary.

    Raises:
        RemoteError: it is malformed, or has more than `MAX_PARTS` parts.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise RemoteError("The Content-Type needs a boundary of 1 to 70 characters.")
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("utf-8", "surrogateescape")
    # One more cut than there may be parts: what is left behind it is the end, or too much.
    before, *pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)
    if before:
        raise _malformed("it must begin with its boundary")
    fields: list[tuple[str, bytes]] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            return fields
        if len(fields) == MAX_PARTS:
            break
        fields.append(_part(piece))
    if len(pieces) > MAX_PARTS:
        raise RemoteError(f"The form has too many parts; at most {MAX_PARTS} are read.")
    raise _malformed("its last boundary is missing")


def _part(piece: bytes) -> tuple[str, bytes]:
    """Name and content of one part; the name is empty where there is none."""
    padding, line_end, rest = piece.partition(b"\r\n")
    if not line_end or padding.strip(b" \t"):
        raise _malformed("a line that begins with the boundary has more text after it")
    if rest.startswith(b"\r\n"):
        return "", rest[2:]  # a part without headers
    headers, blank, content = rest.partition(b"\r\n\r\n")
    if not blank:
        raise _malformed("a part has no empty line after its headers")
    if len(headers) > HEADER_LIMIT_BYTES:
        raise RemoteError(f"The headers of a part are longer than {HEADER_LIMIT_BYTES} bytes.")
    disposition = _DISPOSITION.search(headers.replace(b"\r\n", b"\n"))
    name = _NAME.search(disposition[1]) if disposition else None
    if name is None:
        return "", content
    return (name[1] or name[2] or b"").decode("utf-8", "replace"), content


def _malformed(why: str) -> RemoteError:
    return RemoteError(f"The body is not valid multipart/form-data: {why}.")
