"""An agent of pydantic-ai with Atoll's tools: ``with_pydantic_ai_mcp.py ADDRESS KEY`` prints what it got as JSON.

Its model is a function that asks, opens the page of the first citation, and says what it was shown.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pydantic_ai import Agent, BinaryContent, ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


def decide(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    returned = [part for each in messages for part in each.parts if isinstance(part, ToolReturnPart)]
    if not returned:
        question = {"question": "When was the harbour of Lindvik built?"}
        return ModelResponse([ToolCallPart("ask", question)])
    if len(returned) == 1:
        told = _answer(returned[0].content)
        cited = told["citations"][0]
        page = {"document_id": cited["document_id"], "page": cited["page"]}
        return ModelResponse([TextPart(told["answer"]), ToolCallPart("open_page", page)])
    said = {
        "tools": sorted(tool.name for tool in info.function_tools),
        "answer": next(part.content for each in messages for part in each.parts if isinstance(part, TextPart)),
        "images": sum(_images(each) for each in messages if isinstance(each, ModelRequest)),
    }
    return ModelResponse([TextPart(json.dumps(said))])


def _answer(content: Any) -> dict[str, Any]:
    """Return the answer itself: links to pages stand beside it."""
    parts = content if isinstance(content, list) else [content]
    found: dict[str, Any] = next(part for part in parts if isinstance(part, dict) and "citations" in part)
    return found


def _images(request: ModelRequest) -> int:
    contents = [getattr(part, "content", None) for part in request.parts]
    flat = [each for content in contents for each in (content if isinstance(content, list | tuple) else [content])]
    return sum(isinstance(each, BinaryContent) and each.media_type == "image/png" for each in flat)


async def main() -> None:
    toolset = MCPToolset(f"{sys.argv[1]}/mcp", headers={"Authorization": f"Bearer {sys.argv[2]}"})
    print((await Agent(FunctionModel(decide), toolsets=[toolset]).run("Tell me about the harbour.")).output)


asyncio.run(main())
