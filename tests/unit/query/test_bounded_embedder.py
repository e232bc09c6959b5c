from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.domain.embedding import InputType
from atoll.errors import DependencyDown
from atoll.query.answer.scale import Scale
from atoll.query.retrieve.bounded_embedder import AWAY_SECONDS, BoundedEmbedder


class Hung(MemoryEmbedder):
    """Takes the request and never answers, or is away."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(dimensions=8, max_tokens=96)
        self.error: Exception | None = error
        self.hangs = error is None
        self.asked = 0

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(60)
        if self.error is not None:
            raise self.error
        return await super().embed(texts, input_type=input_type)


async def test_a_hung_server_costs_its_limit_once_and_is_asked_again_later() -> None:
    now, server = 0.0, Hung()
    bounded = BoundedEmbedder(server, dimensions=8, seconds=0.05, clock=lambda: now)
    rows = await bounded.embed(["a", "b"], input_type=InputType.QUERY)
    assert rows.shape == (2, 8)
    assert not rows.any()
    assert not (await bounded.embed(["a"], input_type=InputType.QUERY)).any()
    assert server.asked == 1  # whoever comes right after does not wait as well
    now, server.hangs = AWAY_SECONDS + 0.1, False
    assert (await bounded.embed(["a"], input_type=InputType.QUERY)).any()


async def test_a_server_that_is_away_is_asked_each_time_because_it_says_so_at_once() -> None:
    server = Hung(DependencyDown("away"))
    bounded = BoundedEmbedder(server, dimensions=8, seconds=5.0)
    assert not (await bounded.embed(["a"], input_type=InputType.QUERY)).any()
    server.error = None
    assert (await bounded.embed(["a"], input_type=InputType.QUERY)).any()
    assert server.asked == 2


async def test_an_error_of_another_kind_is_not_hidden() -> None:
    bounded = BoundedEmbedder(Hung(ValueError("a fault of ours")), dimensions=8, seconds=5.0)
    with pytest.raises(ValueError, match="ours"):
        await bounded.embed(["a"], input_type=InputType.QUERY)


async def test_a_scale_is_never_measured_on_an_embedder_that_is_away_and_a_known_one_stays() -> None:
    server = Hung(DependencyDown("away"))
    scale = Scale(BoundedEmbedder(server, dimensions=8, seconds=5.0))
    unknown = await scale.get()  # an answer goes on without: it fails no question
    assert unknown.of(0.0) == 0.0
    assert unknown.joins("de", "en")
    server.error = None
    known = await scale.get()
    assert known is not unknown
    assert known.apart < known.alike
    scale._connections = -7  # a connection was made anew
    server.describe = _away  # type: ignore[method-assign]
    assert await scale.get() is known


async def _away() -> NoReturn:
    raise DependencyDown("away")
