"""Site on loopback that serves one file, and can cut, refuse, redirect and begin in the middle."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Site:
    """Behaviour of the server, and a record of its requests."""

    content: bytes = CONTENT
    """Content that it serves."""
    cuts: list[int] = field(default_factory=list)
    """Number of bytes after which each of the next answers breaks off."""
    ranges: bool = True
    """True if it can go on in the middle."""
    status: int = 200
    """Status of its answers."""
    moved_to: str = ""
    """Site that requests are redirected to, each with its path; none by default."""
    asked: list[str] = field(default_factory=list)
    """The Range header of each request, or nothing."""
    paths: list[str] = field(default_factory=list)
    """Path of each request."""
    url: str = ""
    """URL of the server."""


@contextlib.contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            span = self.headers.get("Range", "")
            site.asked.append(span)
            site.paths.append(self.path)
            start = int(span[6:-1]) if span and site.ranges else 0
            if site.moved_to:
                self.send_response(302)
                self.send_header("Location", site.moved_to + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif site.status != 200:
                self.send_error(site.status)
            elif start >= len(site.content):
                self.send_error(416)
            else:
                body = site.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                # A client that has read enough closes the connection, as it should.
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

        def log_message(self, *_: object) -> None:
            """Log nothing: tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
