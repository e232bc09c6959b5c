"""pydantic-ai as its users call it: ``with_pydantic_ai.py ADDRESS KEY`` prints what it got as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

HARBOUR = "When was the harbour of Lindvik built?"


async def main() -> None:
    provider = OpenAIProvider(base_url=f"{sys.argv[1]}/v1", api_key=sys.argv[2])
    model = OpenAIChatModel("atoll/default", provider=provider)
    agent = Agent(model, retries=0)
    found = {case.__name__: await case(agent) for case in (talk, stream, refusal, before, written)}
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


async def written(agent: Agent) -> Any:
    async def asking() -> None:
        async with agent.run_stream(f"{HARBOUR} Tell it at length.") as told:
            async for _ in told.stream_text(delta=True):
                pass

    task = asyncio.create_task(asking())
    await asyncio.sleep(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return time.time()


asyncio.run(main())
