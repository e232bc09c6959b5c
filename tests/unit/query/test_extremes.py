"""Superlatives over the rows of a table: the row with the most or least of it, or no row for want of a better one."""

from __future__ import annotations

import pytest

from tests.unit.query.twins import Library

UNITS = "Rents\nUnit | Area m2 | Rent per year | Built\n12 | 80 | 14,200 | 1998\n14 | 104 | 18,400 | 1987\n15 | 61 | 9,050 | 2011"
STOCK = "Stock\nPart | In stock | Weight | Price\nWinch bearing | 0 | 2.5 kg | 312.00 EUR\nShackle | 45 | 1.125 kg | 6.50 EUR"
MIXED = "Loads\nCrane | Load\nNorth | 4 t\nSouth | 900 kg"


async def asked(question, *documents):
    library = Library()
    for at, text in enumerate(documents):
        await library.add(f"paper {at}.md", text, headings=(text.split("\n", 1)[0],))
    for number in range(12):
        await library.add(f"note {number}", f"Week {number}: coffee, travel and other small things were talked about.")
    outcome = await library.service.query(library.asking(question))
    return [sentence.text for sentence in outcome.answer.sentences]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which unit is the largest?", "Unit 14, Area m2: 104 (Rents)"),
        ("Which unit is the smallest?", "Unit 15, Area m2: 61 (Rents)"),
        ("What is the cheapest unit?", "Unit 15, Rent per year: 9,050 (Rents)"),
        ("Which unit has the highest rent?", "Unit 14, Rent per year: 18,400 (Rents)"),
        ("Which is the oldest unit?", "Unit 14, Built: 1987 (Rents)"),
        ("Which part is the most expensive?", "Winch bearing, Price: 312.00 EUR (Stock)"),
        ("Which part is the lightest?", "Shackle, Weight: 1.125 kg (Stock)"),
        ("Of which part is the most in stock?", "Shackle, In stock: 45 (Stock)"),
    ],
)
async def test_the_row_with_the_most_or_least_is_the_answer(question, answer):
    assert await asked(question, UNITS, STOCK) == [answer]


async def test_amounts_in_different_units_are_not_compared():
    answer = await asked("Which crane has the highest load?", MIXED)
    assert answer != ["South, Load: 900 kg (Loads)"]


async def test_at_least_and_at_the_latest_ask_for_no_row():
    rule = "Hire\nThe key is handed in at the latest at six. At least two people lift the boat."
    assert await asked("When is the key handed in at the latest?", rule, UNITS) == [
        "The key is handed in at the latest at six."
    ]


async def test_rows_of_the_same_value_are_all_told():
    tied = "Piers\nPier | Depth\nEast | 4 m\nWest | 6 m\nMiddle | 6 m"
    assert await asked("Which pier is the deepest?", tied) == ["West, Depth: 6 m (Piers)", "Middle, Depth: 6 m (Piers)"]
