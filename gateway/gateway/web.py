"""The browser screen: one page, and its files under names that change with what is in them.

The page itself holds no data: what it shows comes through the API, with the rights of whoever is signed in.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response

from atoll.errors import NotAvailable, NotFound
from gateway.auth import Open
from gateway.runtime import Live

router = APIRouter(include_in_schema=False)

_public = [Depends(Open("the screen's own files; they show no data"))]
_METHODS = ["GET", "HEAD"]

#: No inline script or style, nothing from elsewhere, no frame around it, no form that leads away.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
#: The name of an asset carries a hash of its content.
_FOREVER = "public, max-age=31536000, immutable"
_ASSET = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?P<kind>js|css|svg|png|woff2)")
_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "woff2": "font/woff2",
}
#: How a file may be compressed, the smaller first: name of the encoding, ending of the file.
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


@router.api_route("/", methods=_METHODS, dependencies=_public)
@router.api_route("/kb/{rest:path}", methods=_METHODS, dependencies=_public)
@router.api_route("/admin", methods=_METHODS, dependencies=_public)
@router.api_route("/admin/{rest:path}", methods=_METHODS, dependencies=_public)
@router.api_route("/link", methods=_METHODS, dependencies=_public)
async def show_screen(request: Request, live: Live) -> Response:
    """Return the page; which of its views is meant, it reads from its own address."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    try:
        return await _file(request, live.ports.screen / "index.html", "text/html; charset=utf-8", headers)
    except NotFound as missing:
        raise NotAvailable("the browser screen is not built here: run `make web`; /docs describes the API") from missing


@router.api_route("/assets/{name}", methods=_METHODS, dependencies=_public)
async def get_asset(name: str, request: Request, live: Live) -> Response:
    """Return one of the page's files."""
    known = _ASSET.fullmatch(name)
    if known is None:
        raise NotFound(f"there is no file {name[:64]} here")
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
    return await _file(request, live.ports.screen / "assets" / name, _TYPES[known["kind"]], headers)


async def _file(request: Request, path: Path, media_type: str, headers: dict[str, str]) -> Response:
    encoding, content = await asyncio.to_thread(_read, path, request.headers.get("accept-encoding", ""))
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(content, media_type=media_type, headers=headers)


def _read(path: Path, accepted: str) -> tuple[str | None, bytes]:
    """Return a file's encoding and bytes, in the smallest form that is accepted. Raises NotFound."""
    wanted = {each.partition(";")[0].strip() for each in accepted.lower().split(",")}
    for encoding, ending in _ENCODINGS:
        compressed = path.with_name(path.name + ending)
        if encoding in wanted and compressed.is_file():
            return encoding, compressed.read_bytes()
    if not path.is_file():
        raise NotFound(f"there is no file {path.name[:64]} here")
    return None, path.read_bytes()
