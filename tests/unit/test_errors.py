"""Errors of tasks that ran together reach callers as single errors, whatever the version of Python."""

from __future__ import annotations

import asyncio

import pytest

from atoll.errors import AtollError, DependencyDown, NotFound, ungrouped


async def together(*errors: BaseException) -> None:
    async def fail(error: BaseException) -> None:
        raise error

    with ungrouped():
        async with asyncio.TaskGroup() as group:
            for error in errors:
                group.create_task(fail(error))


async def test_one_of_the_errors_comes_out_by_itself() -> None:
    with pytest.raises(DependencyDown, match="away") as caught:
        await together(DependencyDown("away"))
    assert not isinstance(caught.value, BaseExceptionGroup)
    with pytest.raises(AtollError):
        await together(NotFound("gone"), DependencyDown("away"))


async def test_a_mistake_of_ours_is_not_hidden_behind_an_error() -> None:
    with pytest.raises(ExceptionGroup):
        await together(KeyError("mistake"), DependencyDown("away"))
    with pytest.raises(ExceptionGroup):
        await together(KeyError("mistake"))
