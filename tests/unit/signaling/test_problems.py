"""Bodies of errors."""

import json

import pytest

from rtc_server.signaling.problems import problem


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (413, "Request Entity Too Large"),
        (414, "Request-URI Too Long"),
        (416, "Requested Range Not Satisfiable"),
        (422, "Unprocessable Entity"),
        (503, "Service Unavailable"),
    ],
)
def test_titles_are_the_same_on_every_python(status: int, title: str) -> None:
    body = problem(status, "a_code", "A sentence.").text
    assert body
    assert json.loads(body)["title"] == title
