"""What takes long to read does not hold up what does not."""

from __future__ import annotations

from dataclasses import dataclass

from parser.lanes import LONG_BYTES, LONG_SECONDS, Lane


@dataclass(eq=False)
class Call:
    """A request for a file of some size."""

    bytes: int = 1000
    started: float | None = None


def started(lane: Lane[Call], now: float) -> list[Call]:
    """Start what may start."""
    found = []
    while call := lane.start_next(now):
        found.append(call)
    return found


def test_short_ones_fill_all_places_in_order() -> None:
    calls = [Call(), Call(), Call()]
    lane = Lane[Call](2)
    lane.waiting.extend(calls)
    assert started(lane, 0.0) == calls[:2]
    lane.forget(calls[0])
    assert started(lane, 1.0) == [calls[2]]


def test_large_files_leave_a_place_to_small_ones() -> None:
    large, small = [Call(LONG_BYTES) for _ in range(3)], Call()
    lane = Lane[Call](2)
    lane.waiting.extend([*large, small])
    assert started(lane, 0.0) == [large[0], small], "the second large one waits, the small one passes it"
    lane.forget(small)
    assert started(lane, 1.0) == []
    lane.forget(large[0])
    assert started(lane, 2.0) == [large[1]]


def test_one_place_alone_serves_both_kinds() -> None:
    large, small = Call(LONG_BYTES), Call()
    lane = Lane[Call](1)
    lane.waiting.extend([large, small])
    assert started(lane, 0.0) == [large, small]


def test_small_files_that_turn_out_to_take_long_make_one_place_and_no_more() -> None:
    calls = [Call() for _ in range(5)]
    lane = Lane[Call](2)
    lane.waiting.extend(calls)
    assert started(lane, 0.0) == calls[:2]
    assert started(lane, LONG_SECONDS - 1) == []
    assert started(lane, LONG_SECONDS) == [calls[2]]
    assert started(lane, 2 * LONG_SECONDS) == []
    lane.forget(calls[2])
    assert started(lane, 2 * LONG_SECONDS + 1) == [calls[3]]
