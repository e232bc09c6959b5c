"""Whether bf16 is good enough."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from atoll.errors import StartRefused
from atoll.serving.processor import bf16_hardware

#: Least cosine between a probe's bf16 and fp32 vectors.
AGREEMENT = 0.999

_log = logging.getLogger(__name__)
F = TypeVar("F")

#: Texts of different length, script and kind; what is measured is the arithmetic, not the meaning.
PROBES = (
    "tide",
    "Which valve closes first when the pump stops?",
    "The harbour office is open from 8:00 to 16:30, except on public holidays.",
    "Order 4711-B was shipped on 2024-02-29; the remaining 12 units follow in week 11.",
    "Die Wartung der Anlage darf nur im spannungsfreien Zustand erfolgen.",
    "La presión máxima admisible es de 16 bar a 120 °C.",
    "安全阀每六个月检查一次。",
    "يجب فحص صمام الأمان كل ستة أشهر.",
    "if (level > LIMIT) { alarm.raise(level); return false; }",
    "| part | torque (Nm) | thread |\n|---|---|---|\n| A | 12 | M6 |\n| B | 25 | M8 |",
    "!!! ??? ... --- ###",
    "🙂 🚢 ⚓ tide tables for the northern quay 🌊",
    "a " * 40,
    "Corals grow slowly: a few millimetres a year for massive forms and some centimetres for branching ones. " * 2,
    "The committee did not agree on the budget, and the vote was moved to the next session. " * 6,
    "Section 3.2.1 Scope. This procedure applies to all pressure vessels of category II and above. " * 12,
)


def settle(
    dtype: str, exact: F, *, fast: Callable[[], F], agreement: Callable[[F], float], least: float = AGREEMENT
) -> tuple[F, str, float]:
    """Return the forward pass to use, its arithmetic, and how far that agrees with fp32.

    ``dtype`` is ``fp32``, ``bf16`` or ``auto``: bf16 where the processor has it and ``agreement`` of the ``fast``
    model reaches ``least``.

    Raises:
        StartRefused: bf16 was demanded and does not agree.
    """
    if dtype == "fp32" or (dtype == "auto" and not bf16_hardware()):
        return exact, "fp32", 1.0
    candidate = fast()
    reached = agreement(candidate)
    if reached >= least:
        return candidate, "bf16", round(reached, 6)
    if dtype == "bf16":
        raise StartRefused(
            f"bf16 agrees with fp32 only to {reached:.4f}, {least} is needed; set ATOLL_EMBEDDINGS__DTYPE=fp32"
        )
    _log.warning("bf16 agrees with fp32 only to %.4f; staying with fp32", reached)
    return exact, "fp32", 1.0
