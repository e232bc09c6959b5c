"""The API's description for people; everything it shows comes from this server."""

from __future__ import annotations

import functools
from importlib import metadata, resources

from fastapi import APIRouter, Depends, Response

from atoll.errors import NotFound
from gateway.auth import Open

router = APIRouter(include_in_schema=False)

_public = [Depends(Open("describes the API, shows no data"))]

#: The package that carries Swagger UI's files; only its files are used, no code of it runs.
_ASSETS_PACKAGE = "fastapi-swagger"
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)


@router.get("/docs", dependencies=_public)
async def show_docs() -> Response:
    """Return the page."""
    return Response(_text("index.html"), media_type="text/html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/assets/{name}", dependencies=_public)
async def get_asset(name: str) -> Response:
    """Return one of the page's files."""
    if name == "start.js":
        return Response(_text("start.js"), media_type="text/javascript")
    if name not in _ASSETS:
        raise NotFound(f"there is no file {name[:64]} here")
    return Response(asset(name), media_type=_ASSETS[name], headers={"Cache-Control": "public, max-age=86400"})


@functools.cache
def asset(name: str) -> bytes:
    """Return one of Swagger UI's files."""
    files = metadata.files(_ASSETS_PACKAGE) or []
    return next(file for file in files if file.name == name).read_binary()


@functools.cache
def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
