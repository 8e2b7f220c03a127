"""The pages and their files, straight from ``static/``: no build, no templates."""

from pathlib import Path

from aiohttp import hdrs, web

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
"""All that is served, and as what: a table of the machine's own would decide differently."""

LONGEST_PATH = 255
"""Characters; resolving thousands of folder names holds the event loop for tens of milliseconds."""


class PageRoutes:
    """``GET /``, ``/doctor`` and ``/static/…``.

    Browsers keep files and ask each time whether they changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def page(self, _request: web.Request) -> web.StreamResponse:
        """Return ``index.html``."""
        return self.serve("index.html")

    async def doctor(self, _request: web.Request) -> web.StreamResponse:
        """Return ``doctor.html``: checks of what would keep this browser from being understood."""
        return self.serve("doctor.html")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Return one file below the folder; whatever points out of it does not exist."""
        return self.serve(request.match_info["path"])

    def serve(self, path: str) -> web.StreamResponse:
        """Return one file below the folder, or 404."""
        if len(path) > LONGEST_PATH or "\0" in path:
            raise web.HTTPNotFound
        if any(part.startswith(".") for part in path.split("/")):
            raise web.HTTPNotFound
        try:
            found = (self._folder / path).resolve()
            there = found.is_relative_to(self._folder) and found.is_file()
        except OSError:  # a name longer than the file system has
            there = False
        media_type = MEDIA_TYPES.get(found.suffix) if there else None
        if media_type is None:
            raise web.HTTPNotFound
        return web.FileResponse(
            found, headers={hdrs.CONTENT_TYPE: media_type, hdrs.CACHE_CONTROL: "no-cache"}
        )
