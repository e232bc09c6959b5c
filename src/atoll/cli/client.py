"""The gateway's HTTP API as the commands use it: one client, errors as one line."""

from __future__ import annotations

import contextlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from atoll import settings as configuration
from atoll.cli.absent import why_absent
from atoll.cli.places import path_of
from atoll.errors import AtollError, NotAuthenticated
from atoll.local import state
from atoll.local.state import Phase
from atoll.settings import Settings

#: Answers may be written by a slow model; everything else is far quicker.
_READ_SECONDS = 300.0
_CONNECT_SECONDS = 5.0
_MAX_DETAIL_CHARACTERS = 2000
_PAGE_SIZE = 100
#: What may be an id; anything else can only be a name.
_ID = re.compile(r"[A-Za-z0-9_-]+")
_GLOB = re.compile(r"[*?\[]")


class Problem(AtollError):
    """Raised when the gateway answers with an error; the message is the problem document in one line."""

    def __init__(
        self,
        message: str,
        status_code: int,
        retry_after_seconds: float | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        #: The problem document, as the gateway sent it.
        self.document = document
        self.retry_after_seconds = retry_after_seconds


class NotRunning(AtollError):
    """Raised when nobody answers at the gateway's address."""


class Interrupted(AtollError):
    """Raised when the connection to the gateway breaks in the middle: it may be restarting."""


class Client:
    """An authenticated connection to the gateway. Safe to use from several threads."""

    def __init__(self, address: str, key: str, why_absent: Callable[[str], str], *, host: str | None = None) -> None:
        self.address = address
        self.key = key
        self._why_absent = why_absent
        self._http = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {key}"} | ({"Host": host} if host else {}),
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=False,  # a proxy from the environment must see neither questions nor the key
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: object) -> Any:
        """Return the JSON body of a GET; parameters that are None are left out."""
        return self._json("GET", path, params=_present(params))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON body of a POST."""
        return self._json("POST", path, json=body if body is not None else {})

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON body of a PATCH."""
        return self._json("PATCH", path, json=body)

    def delete(self, path: str, **params: object) -> Any:
        """Return the JSON body of a DELETE, None when it has none."""
        return self._json("DELETE", path, params=_present(params))

    def upload(self, path: str, file: tuple[str, Any, str], fields: Mapping[str, str]) -> Any:
        """Post one file, streamed from disk, with form fields before it."""
        return self._json("POST", path, data=dict(fields), files={"file": file})

    def download(self, path: str, **params: object) -> bytes:
        """Return the bytes of a GET."""
        with self._explained():
            response = self._http.get(path, params=_present(params))
        _raise_problem(response)
        return response.content

    def stream(self, path: str, **params: object) -> Iterator[bytes]:
        """Yield the bytes of a GET as they come."""
        with self._explained(), self._http.stream("GET", path, params=_present(params)) as response:
            if response.is_error:
                response.read()
            _raise_problem(response)
            yield from response.iter_bytes()

    def collect(self, path: str, field: str, **params: object) -> dict[str, Any]:
        """Return a cursor-paged list as one body: the first page's, with the items of all."""
        body: dict[str, Any] = self.get(path, limit=_PAGE_SIZE, **params)
        cursor = body.get("next_cursor")
        while cursor:
            following = self.get(path, limit=_PAGE_SIZE, cursor=cursor, **params)
            body[field].extend(following[field])
            cursor = following.get("next_cursor")
        return {**body, "next_cursor": None}

    def events(self, path: str, body: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of a POST, or of a GET without a body, that is answered with server-sent events."""
        with (
            self._explained(),
            self._http.stream(
                "GET" if body is None else "POST", path, json=body, headers={"Accept": "text/event-stream"}
            ) as response,
        ):
            if response.is_error:
                response.read()
            _raise_problem(response)
            yield from _events(response.iter_lines())

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotRunning(self._why_absent(self.address)) from error
        except httpx.TimeoutException as error:
            raise Interrupted(f"{self.address} did not answer in time; see `atoll status`") from error
        except httpx.TransportError as error:
            raise Interrupted(f"the connection to {self.address} broke; see `atoll status`") from error

    def _json(self, method: str, path: str, **arguments: Any) -> Any:
        with self._explained():
            response = self._http.request(method, path, **arguments)
        _raise_problem(response)
        return response.json() if response.content else None


def connect(*, admin: bool = False, key_file: Path | None = None, host: str | None = None) -> Client:
    """Return a client for the gateway of this data directory, with ATOLL_API_KEY or the owner's key.

    ``admin`` takes the admin key in the place of the owner's, ``key_file`` the key in a file. ``host`` is the name that
    the gateway is asked by, where that is not its address.

    Raises:
        NotAuthenticated: there is no key.
        NotRunning: the stack of this data directory was refused its start: whoever answers there is another one.
    """
    settings = configuration.load()
    address, key = _address(settings), _key(settings, admin=admin, file=key_file)
    current = state.read(settings.run_dir)
    if current is not None and current.phase == Phase.REFUSED and settings.api_key is None:
        raise NotRunning(why_absent(settings, address))
    return Client(address, key, partial(why_absent, settings), host=host)


def kb_path(kb: str, *parts: str) -> str:
    """Return the path of something in a knowledge base, each part escaped."""
    return "/".join(["/v1/kbs", *(quote(part, safe="") for part in (kb, *parts))])


def find_document(client: Client, kb: str, document: str) -> dict[str, Any]:
    """Return the document of this id, or the one of this name, which may stand behind its source: ``docs/a.txt``.

    Raises:
        AtollError: no document has the name, or several have.
    """
    if _ID.fullmatch(document):
        try:
            found: dict[str, Any] = client.get(kb_path(kb, "documents", document))
        except Problem as problem:
            if problem.status_code != HTTPStatus.NOT_FOUND:
                raise
        else:
            return found
    # Names and sources are kept in NFC; a file system may spell them otherwise.
    source, _, name = unicodedata.normalize("NFC", document).rpartition("/")
    pattern = _GLOB.sub(r"[\g<0>]", name)  # the listing takes patterns, a command takes a name
    listed = client.collect(kb_path(kb, "documents"), "documents", name=pattern)["documents"]
    named = [item for item in listed if item["name"] == name and source in ("", item["source"])]
    ready = [item for item in named if item["status"] == "ready"]
    candidates = ready or named
    if not candidates:
        raise AtollError(f"no document in {kb!r} has the id or name {document!r}; see `atoll documents list --kb {kb}`")
    if len(candidates) > 1:
        ids = ", ".join(f"{item['id']} ({path_of(item)})" for item in candidates[:10])
        raise AtollError(f"{len(candidates)} documents are called {document!r}; use an id, or SOURCE/NAME: {ids}")
    chosen: dict[str, Any] = candidates[0]
    return chosen


def _address(settings: Settings) -> str:
    """Return the address that was set, else where this data directory's stack says it listens."""
    current = state.read(settings.run_dir)
    if current is None or settings.gateway.model_fields_set & {"port", "host"}:
        return settings.gateway.address
    return current.address


def _key(settings: Settings, *, admin: bool, file: Path | None) -> str:
    if settings.api_key:
        return settings.api_key
    path: Path = file or (settings.admin_key_path if admin else settings.owner_key_path).absolute()
    made_by = "`atoll init --admin`" if admin else "`atoll up --local` (or `atoll init`)"
    try:
        return path.read_text().strip()
    except FileNotFoundError as error:
        raise NotAuthenticated(
            f"no key: {path} does not exist. Where Atoll runs elsewhere, set ATOLL_DATA_DIR to its data directory or "
            f"ATOLL_API_KEY to a key; else run {made_by}"
        ) from error
    except OSError as error:
        raise NotAuthenticated(f"the key {path} cannot be read: {error.strerror}") from error


def _raise_problem(response: httpx.Response) -> None:
    if response.is_success:
        return
    title = detail = ""
    document: dict[str, Any] | None = None
    with contextlib.suppress(ValueError):
        body = response.json()
        if isinstance(body, dict):
            document = body
            title, detail = str(body.get("title") or ""), str(body.get("detail") or "")
    title = title or f"{response.status_code} {response.reason_phrase}"
    line = f"{title}: {detail}" if detail else title
    raise Problem(line[:_MAX_DETAIL_CHARACTERS], response.status_code, _retry_after(response), document)


def _retry_after(response: httpx.Response) -> float | None:
    with contextlib.suppress(KeyError, ValueError):
        return max(0.0, float(response.headers["Retry-After"]))
    return None


def _present(params: Mapping[str, object]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
        if value is not None
    }


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Parse server-sent events whose data is JSON."""
    event, received = "message", list[str]()
    for line in lines:
        if line.startswith("event:"):
            event = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            received.append(line.removeprefix("data:").removeprefix(" "))
        elif not line:
            if received:
                yield event, json.loads("\n".join(received))
            event, received = "message", []
