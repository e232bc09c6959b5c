"""Whether bf16 is good enough."""

from __future__ import annotations

#: Least cosine between a probe's bf16 and fp32 vectors.
AGREEMENT = 0.999

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
