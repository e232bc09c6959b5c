"""pydantic-ai as its users call it: ``with_pydantic_ai.py ADDRESS KEY CHAT`` prints what it got as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from chat_state import until_read
from openai import APIError
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

HARBOUR = "When was the harbour of Lindvik built?"


async def main() -> None:
    provider = OpenAIProvider(base_url=f"{sys.argv[1]}/v1", api_key=sys.argv[2])
    model = OpenAIChatModel("atoll/default", provider=provider)
    agent = Agent(model, retries=0)
    found = {case.__name__: await case(agent) for case in (talk, stream, refusal, before, midway, written, read)}
    print(json.dumps(found))


async def talk(agent: Agent) -> Any:
    first = await agent.run(HARBOUR)
    second = await agent.run("And who built it?", message_history=first.all_messages())
    return [first.output, second.output]


async def stream(agent: Agent) -> Any:
    async with agent.run_stream(HARBOUR) as told:
        return "".join([text async for text in told.stream_text(delta=True)])


async def refusal(agent: Agent) -> Any:
    return (await agent.run("Quantum chromodynamics lattice gauge?")).output


async def before(agent: Agent) -> Any:
    typed = Agent(agent.model, output_type=list[str], retries=0)
    try:
        await typed.run(HARBOUR)
    except ModelAPIError as error:
        return str(error)
    return None


async def midway(agent: Agent) -> Any:
    text = ""
    try:
        async with agent.run_stream(f"{HARBOUR} Break off half-way.") as told:
            async for delta in told.stream_text(delta=True):
                text += delta
    except (ModelAPIError, APIError) as error:
        return [text, str(error)]
    return [text, None]


async def leave(agent: Agent, question: str, *, after_text: bool) -> float:
    started = asyncio.Event()

    async def asking() -> None:
        async with agent.run_stream(question) as told:
            async for _ in told.stream_text(delta=True):
                started.set()

    task = asyncio.create_task(asking())
    await (started.wait() if after_text else asyncio.to_thread(until_read, sys.argv[3]))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return time.time()


async def written(agent: Agent) -> Any:
    return await leave(agent, f"{HARBOUR} Tell it at length.", after_text=True)


async def read(agent: Agent) -> Any:
    return await leave(agent, f"{HARBOUR} Leave while it is read.", after_text=False)


asyncio.run(main())
