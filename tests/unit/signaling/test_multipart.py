"""The splitter of forms, by itself."""

import pytest

from rtc_server.errors import RemoteError
from rtc_server.signaling.multipart import split_form

TYPE = "multipart/form-data; boundary=b"
MOST = 8
"""Parts of one form; a call has two, and each is work that a stranger chooses."""


def form(parts: int) -> bytes:
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\ntext {}\r\n'
    return ("".join(part.format(n, n) for n in range(parts)) + "--b--\r\n").encode()


def test_as_many_parts_as_are_allowed_and_no_more() -> None:
    assert split_form(TYPE, form(MOST)) == [(str(n), f"text {n}".encode()) for n in range(MOST)]
    for parts in (MOST + 1, 10 * MOST):
        with pytest.raises(RemoteError, match=f"too many parts; at most {MOST}"):
            split_form(TYPE, form(parts))


def test_nothing_may_stand_before_the_first_boundary() -> None:
    with pytest.raises(RemoteError, match="begin with its boundary"):
        split_form(TYPE, b"preamble\r\n" + form(1))
