"""Answers that are made once: one text for everybody, with an ETag to ask whether it changed."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.helpers import ETAG_ANY
from msgspec import Struct

from rtc_server.signaling.response_bodies import json_text

MOST_ANSWERS = 64
"""Answers kept; of more, the one unused for longest is made anew."""


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    etag: str


class Answers:
    """The answers of some routes, by name."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    def give(
        self, request: web.Request, name: str, make: Callable[[], Struct], *, keep: bool
    ) -> web.Response:
        """Answer with the JSON of `name`, which `make` makes; `keep` it when it cannot change."""
        answer = self._answers.get(name)
        if answer is None:
            body = json_text(make()).encode()
            answer = _Answer(body, hashlib.sha256(body).hexdigest()[:16])
        if keep:
            self._answers[name] = answer
            self._answers.move_to_end(name)
            if len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)
        response = (
            web.Response(status=304)
            if _has(request, answer.etag)
            else web.Response(body=answer.body, content_type="application/json", charset="utf-8")
        )
        response.etag = answer.etag
        response.headers[hdrs.CACHE_CONTROL] = "private, no-cache"
        return response


def _has(request: web.Request, etag: str) -> bool:
    return any(each.value in (etag, ETAG_ANY) for each in request.if_none_match or ())
