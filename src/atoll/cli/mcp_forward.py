"""The Model Context Protocol between standard input and output and a gateway, in both of its generations.

The gateway keeps the tools; here every request of the agent becomes one request to it, without a session, so that a
gateway may restart while an agent stays.
"""

from __future__ import annotations

import logging
from typing import Any, Final, TypeVar

import httpx2
from mcp import Client, stdio_server
from mcp.client.client import ConnectMode
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesRequest,
    ListResourcesResult,
    ListResourceTemplatesRequest,
    ListResourceTemplatesResult,
    ListToolsRequest,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequest,
    ReadResourceRequestParams,
    ReadResourceResult,
    Request,
)
from pydantic import BaseModel

_CONNECT_SECONDS = 5.0
#: The gateway has a limit of its own and sends signs of life; this one is for a gateway that says nothing at all.
_READ_SECONDS = 120.0
#: Spoken with the gateway whatever the agent speaks: it has no sessions.
_PROTOCOL: Final = "2026-07-28"

Context = ServerRequestContext[Any, Any]
R = TypeVar("R", bound=BaseModel)


async def forward(address: str, key: str) -> None:
    """Serve standard input and output until the input ends."""
    # The SDK's own log goes to standard error; at this level it tells of what ended a connection and no more.
    logging.basicConfig(level=logging.ERROR)
    async with httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {key}"},
        timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
        trust_env=False,  # a proxy from the environment must see neither questions nor the key
    ) as http:
        gateway = _Gateway(f"{address}/mcp", http)
        server: Server[Any] = Server(
            "atoll",
            title="Atoll",
            version="1",
            instructions=await gateway.instructions(),
            on_list_tools=gateway.list_tools,
            on_call_tool=gateway.call_tool,
            on_list_resources=gateway.list_resources,
            on_list_resource_templates=gateway.list_templates,
            on_read_resource=gateway.read_resource,
        )
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


class _Gateway:
    """The gateway, a connection for each request; a cancelled one is closed, which ends its work there."""

    def __init__(self, url: str, http: httpx2.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def instructions(self) -> str | None:
        """Return what the gateway tells agents about its tools."""
        async with self._client("auto") as client:
            return client.instructions

    async def list_tools(self, context: Context, wanted: PaginatedRequestParams | None) -> ListToolsResult:
        return await self._pass_on(context, ListToolsRequest(params=_own(wanted)), ListToolsResult)

    async def call_tool(self, context: Context, wanted: CallToolRequestParams) -> CallToolResult:
        return await self._pass_on(context, CallToolRequest(params=_own(wanted)), CallToolResult)

    async def list_resources(self, context: Context, wanted: PaginatedRequestParams | None) -> ListResourcesResult:
        return await self._pass_on(context, ListResourcesRequest(params=_own(wanted)), ListResourcesResult)

    async def list_templates(
        self, context: Context, wanted: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        request = ListResourceTemplatesRequest(params=_own(wanted))
        return await self._pass_on(context, request, ListResourceTemplatesResult)

    async def read_resource(self, context: Context, wanted: ReadResourceRequestParams) -> ReadResourceResult:
        return await self._pass_on(context, ReadResourceRequest(params=_own(wanted)), ReadResourceResult)

    async def _pass_on(self, context: Context, request: Request[Any, Any], result: type[R]) -> R:
        try:
            async with self._client() as client:
                return await client.session.send_request(
                    request, result, progress_callback=context.session.report_progress
                )
        except (BaseExceptionGroup, httpx2.HTTPError, MCPError) as error:
            raise _told(error) from error

    def _client(self, mode: ConnectMode = _PROTOCOL) -> Client:
        return Client(streamable_http_client(self._url, http_client=self._http), mode=mode, cache=None)


def _own(wanted: Any) -> Any:
    """Return parameters without what belongs to the agent's own connection."""
    return None if wanted is None else wanted.model_copy(update={"meta": None})


def _told(error: BaseException) -> BaseException:
    """Return the one error that an agent is to read: the gateway's, or that there is none."""
    if isinstance(error, BaseExceptionGroup):
        return _told(error.exceptions[0])
    if isinstance(error, httpx2.HTTPError):
        return MCPError(INTERNAL_ERROR, "the gateway does not answer; see `atoll status`, and try again")
    return error
