"""rtc-server inside another aiohttp application, below /interpreter/.

    python examples/mounted.py [--port 8080]

The host application keeps its own routes and middlewares; the interpreter starts and stops with it.
"""

import argparse

from aiohttp import web

from rtc_server import Settings, mountable


async def front_page(_request: web.Request) -> web.Response:
    """A page of the host application."""
    return web.Response(
        text='<p><a href="/interpreter/">Live interpreter</a></p>', content_type="text/html"
    )


def make_app() -> web.Application:
    """The host application."""
    app = web.Application()
    app.router.add_get("/", front_page)
    app.add_subapp("/interpreter/", mountable(Settings()))
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080)
    web.run_app(make_app(), host="127.0.0.1", port=parser.parse_args().port)
