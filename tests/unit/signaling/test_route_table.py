"""Access of every route, as the table has it."""

from typing import Any, cast

from aiohttp import web

from rtc_server.signaling.auth import Access
from rtc_server.signaling.route_table import (
    Route,
    access_by_name,
    add_routes,
    routes_of_rooms,
    routes_of_the_server,
)


class Handlers:
    """Stand-in for all handlers: the table only passes them on."""

    def __init__(self, protocol: str = "") -> None:
        self.protocol, self.session_route = protocol, f"{protocol}_session"

    def __getattr__(self, name: str) -> Any:
        async def handle(_request: web.Request) -> web.Response:
            raise AssertionError(name)

        return handle


def table() -> list[Route]:
    one = cast(Any, Handlers())
    server = routes_of_the_server(
        call=one, secret=one, socket=one, info=one, description=one, page=one
    )
    return server + routes_of_rooms(one, cast(Any, Handlers("whip")), cast(Any, Handlers("whep")))


def test_what_is_open_to_everybody() -> None:
    """A route that is added here is a decision, not a slip."""
    assert sorted({f"{route.path}" for route in table() if route.access is Access.PUBLIC}) == [
        "/",
        "/doctor",
        "/healthz",
        "/listen/{room:[A-Za-z0-9_-]{1,64}}",
        "/page/secret",
        "/readyz",
        "/rooms/{room:[A-Za-z0-9_-]{1,64}}",
        "/static/{path:.+}",
        "/v1/events.schema.json",
        "/v1/openapi.yaml",
        "/whep/{room:[A-Za-z0-9_-]{1,64}}",
        "/whep/{room:[A-Za-z0-9_-]{1,64}}/{peer}",
        "/whip/{room:[A-Za-z0-9_-]{1,64}}",
        "/whip/{room:[A-Za-z0-9_-]{1,64}}/{peer}",
    ]
    open_methods = {
        method for route in table() if route.access is Access.PUBLIC for method in route.methods
    }
    assert open_methods == {"GET", "HEAD", "OPTIONS", "POST"}
    assert [
        route.name for route in table() if route.access is Access.PUBLIC and "POST" in route.methods
    ] == ["page_secret"]


def test_a_name_has_one_access_and_one_path() -> None:
    """Access is looked up by the name alone."""
    for name, access in access_by_name(table()).items():
        rows = [route for route in table() if route.name == name]
        assert {route.access for route in rows} == {access}, name
        assert len({route.path for route in rows}) == 1, name


def test_every_route_of_the_application_is_in_the_table() -> None:
    app = web.Application()
    add_routes(app.router, table())
    served = [(route.method, route.resource) for route in app.router.routes()]
    rows = [(method, route.name) for route in table() for method in route.methods]
    assert [(method, resource.name if resource else "") for method, resource in served] == rows
    assert set(app.router.named_resources()) == {route.name for route in table()}
