"""Ten structures of documents as plain values: what is written, by any program, and what a reader must find again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

_WORDS = [
    "harbour",
    "pilot",
    "ferry",
    "berth",
    "tide",
    "anchor",
    "crane",
    "warehouse",
    "customs",
    "ledger",
    "invoice",
    "cargo",
    "bridge",
    "signal",
    "lantern",
    "rope",
    "engine",
    "valve",
    "pump",
    "gauge",
    "pressure",
    "boiler",
    "filter",
    "sensor",
    "cable",
    "switch",
    "panel",
    "report",
    "meeting",
    "member",
    "committee",
    "budget",
    "contract",
    "tenant",
    "landlord",
    "notice",
    "window",
    "garden",
    "kitchen",
    "ladder",
    "bucket",
    "winter",
    "spring",
    "autumn",
    "summer",
    "morning",
    "evening",
    "carries",
    "checks",
    "closes",
    "covers",
    "delivers",
    "empties",
    "follows",
    "greets",
    "inspects",
    "leaves",
    "measures",
    "opens",
    "orders",
    "paints",
    "pays",
    "repairs",
    "replaces",
    "returns",
    "signs",
    "stores",
    "turns",
    "visits",
    "washes",
    "weighs",
    "old",
    "new",
    "broken",
    "clean",
    "dry",
    "empty",
    "full",
    "heavy",
    "open",
    "quiet",
    "small",
    "tall",
    "wide",
    "yellow",
    "green",
    "before",
    "after",
    "beside",
    "under",
    "above",
    "near",
    "with",
    "without",
    "during",
]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list: depth (from 0) and text of each item."""

    items: tuple[tuple[int, str], ...]
    is_numbered: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell that spans columns and rows."""

    text: str
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True)
class Grid:
    """A table: rows of the cells that begin in them, the first ``headers`` of which are the head."""

    rows: tuple[tuple[Cell, ...], ...]
    headers: int = 1
    is_ruled: bool = True

    def covered(self) -> list[list[str]]:
        """The text that stands in each column of each row, that of merged cells in all that they cover."""
        width = sum(cell.columns for cell in self.rows[0])
        found: list[list[str | None]] = [[None] * width for _ in self.rows]
        for at, row in enumerate(self.rows):
            for cell in row:
                column = found[at].index(None)
                for down in range(cell.rows):
                    for across in range(cell.columns):
                        found[at + down][column + across] = cell.text
        return [[text or "" for text in row] for row in found]


Part = Heading | Text | Items | Grid


@dataclass(frozen=True)
class Structure:
    """A document: its parts in order, what each page repeats, and whether pages are set in two columns."""

    name: str
    parts: tuple[Part, ...]
    header: str = ""
    footer: str = ""
    has_columns: bool = False

    def words_of(self) -> str:
        """Everything that the document says, in reading order, without list numbers."""
        texts: list[str] = []
        for part in self.parts:
            if isinstance(part, Grid):
                texts += [cell.text for row in part.rows for cell in row]
            elif isinstance(part, Items):
                texts += [text for _, text in part.items]
            else:
                texts.append(part.text)
        return "\n".join(texts)

    @property
    def grids(self) -> list[Grid]:
        """The tables in order."""
        return [part for part in self.parts if isinstance(part, Grid)]


class _Author:
    """Writes the same text for the same seed."""

    def __init__(self, seed: int) -> None:
        self._choose = random.Random(seed)
        self._values = 100 * seed + 1000

    def sentence(self, least: int = 6, most: int = 16) -> str:
        words = [self._choose.choice(_WORDS) for _ in range(self._choose.randint(least, most))]
        return f"{words[0].capitalize()} {' '.join(words[1:])}."

    def text(self, sentences: int = 4) -> Text:
        return Text(" ".join(self.sentence() for _ in range(sentences)))

    def heading(self, level: int = 1) -> Heading:
        return Heading(" ".join(self._choose.choice(_WORDS) for _ in range(3)).capitalize(), level)

    def value(self) -> str:
        """A number that stands nowhere else."""
        self._values += self._choose.randint(1, 9)
        return f"{self._values:,}"

    def grid(self, rows: int, columns: int, *, gaps: int = 0, wrapped: int = 0, is_ruled: bool = True) -> Grid:
        """A full grid; every ``gaps``-th cell is empty and every ``wrapped``-th one takes several lines."""
        head = tuple(Cell(f"{self._choose.choice(_WORDS).capitalize()} {chr(65 + at)}") for at in range(columns))
        body = []
        for at in range(1, rows):
            cells = [Cell(f"Item {at} {self._choose.choice(_WORDS)}")]
            for column in range(1, columns):
                turn = at * columns + column
                text = "" if gaps and turn % gaps == 0 else self.value()
                if text and wrapped and turn % wrapped == 0:
                    text = f"{text} {' '.join(self._choose.choice(_WORDS) for _ in range(7))}"
                cells.append(Cell(text))
            body.append(tuple(cells))
        return Grid((head, *body), is_ruled=is_ruled)

    def merged(self, groups: int) -> Grid:
        """A head of two rows with cells over two columns, and groups whose name stands once for two rows."""
        head = (
            (Cell("Site", rows=2), Cell("Kind", rows=2), Cell("Spring", columns=2), Cell("Autumn", columns=2)),
            (Cell("Flow S"), Cell("Level S"), Cell("Flow A"), Cell("Level A")),
        )
        body: list[tuple[Cell, ...]] = []
        for at in range(groups):
            first = [Cell(f"Site {chr(75 + at)} {self._choose.choice(_WORDS)}", rows=2), Cell("day")]
            body += [
                (*first, *(Cell(self.value()) for _ in range(4))),
                (Cell("night"), *(Cell(self.value()) for _ in range(4))),
            ]
        return Grid((*head, *body), headers=2)


_LANGUAGES = (
    ("Deutsch", "Die F\u00e4hre legt t\u00e4glich um f\u00fcnf Uhr ab. Gr\u00f6\u00dfere Ger\u00e4te bleiben drau\u00dfen."),
    ("Fran\u00e7ais", "Le b\u0153uf est servi \u00e0 midi. L\u2019\u00e9t\u00e9, la gr\u00e8ve reste fra\u00eeche et ombrag\u00e9e."),
    ("Polski", "Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144 w por\u0107ie. \u0141\u00f3d\u017a czeka przy nabrze\u017cu."),
    ("\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac", "\u03a4\u03bf \u03c0\u03bb\u03bf\u03af\u03bf \u03c6\u03b5\u03cd\u03b3\u03b5\u03b9 \u03c4\u03bf \u03c0\u03c1\u03c9\u03af. \u0397 \u03b8\u03ac\u03bb\u03b1\u03c3\u03c3\u03b1 \u03b5\u03af\u03bd\u03b1\u03b9 \u03ae\u03c1\u03b5\u03bc\u03b7."),
    ("\u0420\u0443\u0441\u0441\u043a\u0438\u0439", "\u041f\u0430\u0440\u043e\u043c \u0443\u0445\u043e\u0434\u0438\u0442 \u0443\u0442\u0440\u043e\u043c. \u0421\u043a\u043b\u0430\u0434 \u0437\u0430\u043a\u0440\u044b\u0442 \u0434\u043e \u0432\u0435\u0441\u043d\u044b."),
)  # fmt: skip


def structures() -> list[Structure]:
    """The ten."""
    a = [_Author(seed) for seed in range(11)]
    items = tuple((depth, a[2].sentence(3, 9)) for depth in (0, 1, 1, 0, 0, 1, 0))
    steps = tuple((depth, a[2].sentence(3, 9)) for depth in (0, 0, 1, 1, 0))
    codes = [
        "Order QM-2291-B of 4 March 2026 costs CHF 1'250.00 and weighs 12.5 kg.",
        "Call +47 22 33 44 55 before 14:30, or write to pilot@harbour.example.org.",
        "Pressure is 3.5 bar (0.35 MPa) at 40 \u00b0C; tolerance \u00b1 2 %.",
        "See section 4.2.1, IBAN DE89 3704 0044 0532 0130 00, file C:\\data\\log_07.txt.",
    ]
    lists: Sequence[Part] = (Items(items), a[2].text(1), Items(steps, is_numbered=True))
    return [
        Structure("prose", tuple(part for _ in range(5) for part in (a[1].heading(), a[1].text(), a[1].text(6)))),
        Structure("lists", (a[2].heading(), a[2].text(2), *lists, a[2].text(2))),
        Structure("table", (a[3].heading(), a[3].text(2), a[3].grid(8, 4), a[3].text(2))),
        Structure("merged", (a[4].heading(), a[4].text(2), a[4].merged(4), a[4].text(2))),
        Structure("gaps", (a[5].heading(), a[5].text(1), a[5].grid(9, 5, gaps=4, wrapped=7), a[5].text(1))),
        Structure("long-table", (a[6].heading(), a[6].text(1), a[6].grid(70, 4, gaps=9), a[6].text(1))),
        Structure(
            "furniture",
            tuple(part for _ in range(8) for part in (a[7].heading(), a[7].text(9), a[7].text(6))),
            header="Handbook of the pier, edition seven",
            footer="Confidential until released",
        ),
        Structure("languages", tuple(part for name, text in _LANGUAGES for part in (Heading(name), Text(text)))),
        Structure("codes", (a[9].heading(), *map(Text, codes), a[9].text(3))),
        Structure(
            "mixed",
            (
                *(a[10].heading(), a[10].text(5), a[10].text(7), a[10].heading(2), Items(items[:4]), a[10].text(6)),
                *(a[10].heading(), a[10].grid(5, 3, is_ruled=False), a[10].text(7), a[10].text(8)),
            ),
            has_columns=True,
        ),
    ]
