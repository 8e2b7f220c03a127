"""The description of this API, as OpenAPI and JSON Schema: the very files of the documentation."""

from aiohttp import hdrs, web

from rtc_server.resources import resource_folder


class DescriptionRoutes:
    """Handlers that serve files of ``docs/``."""

    async def openapi(self, _request: web.Request) -> web.StreamResponse:
        """Return ``openapi.yaml``."""
        return _described("openapi.yaml", "application/yaml")

    async def events(self, _request: web.Request) -> web.StreamResponse:
        """Return ``events.schema.json``."""
        return _described("events.schema.json", "application/schema+json")


def _described(file: str, media_type: str) -> web.FileResponse:
    headers = {hdrs.CONTENT_TYPE: media_type, hdrs.CACHE_CONTROL: "no-cache"}
    return web.FileResponse(resource_folder("docs") / file, headers=headers)
