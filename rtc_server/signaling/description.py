"""The description of this API, as OpenAPI and JSON Schema: the very files of the documentation."""

from aiohttp import hdrs, web

from rtc_server.resources import resource_folder

FILES = {
    "openapi": ("openapi.yaml", "application/yaml"),
    "events": ("events.schema.json", "application/schema+json"),
}
"""Route, file and media type; a file is served as ``/v1/FILE``."""


class DescriptionRoutes:
    """``GET /v1/openapi.yaml`` and ``/v1/events.schema.json``."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Declare the routes."""
        for name, (file, _) in FILES.items():
            router.add_get(f"/v1/{file}", self.describe, name=name)

    async def describe(self, request: web.Request) -> web.StreamResponse:
        """One of them."""
        resource = request.match_info.route.resource
        file, media_type = FILES[resource.name or ""] if resource else ("", "")
        headers = {hdrs.CONTENT_TYPE: media_type, hdrs.CACHE_CONTROL: "no-cache"}
        return web.FileResponse(resource_folder("docs") / file, headers=headers)
