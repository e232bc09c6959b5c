"""A gateway over a real socket in a process of its own: `python -m tests.support.gateway_process FOLDER`.

Real stages, files and record store; twins where other processes would be. Prints its port, an owner's and an admin's key as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from atoll.access.keys import issue
from atoll.access.rates import LocalRates, RateLimit
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.principal import Role
from atoll.domain.tenant import INSTALLATION
from atoll.errors import Conflict
from gateway.app import create_app
from gateway.dependencies import Dependencies, Limits
from gateway.server import listen, serve
from tests.support.house import ACTOR, House

_PEPPER = b"p" * 32


async def run(folder: Path) -> None:
    """Serve until SIGTERM."""
    house = House(folder, vectors=MemoryGraphIndex())  # type: ignore[arg-type]
    try:
        await house.open("main")
    except Conflict:
        sys.stderr.write("a restart\n")
    texts = {}
    for name, tenant, role in (("key", "acme", Role.OWNER), ("admin", INSTALLATION, Role.ADMIN)):
        key, texts[name] = issue(_PEPPER, tenant=await house.tenants.ensure(tenant), name=role.value, role=role)
        await house.keys.create(key, ACTOR)
    app = create_app(
        Dependencies(
            records=house.records,
            doorbell=house.doorbell,
            blobs=house.blobs,
            passwords=house.passwords,
            artefacts=house.artefacts,
            drawings=house.drawings,
            parser=house.shop.parser,
            ask=house.ask,
            embedder=house.embedder,
            rates=RateLimit(None, LocalRates(100_000)),
            pepper=_PEPPER,
            limits=Limits(max_upload_bytes=4 * 2**20),
            dependencies={},
            screen=folder / "screen",
        )
    )
    with listen("127.0.0.1", 0) as listener:
        sys.stdout.write(json.dumps({"port": listener.getsockname()[1], **texts}) + "\n")
        sys.stdout.flush()
        await serve(app, listener)
    house.database.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
