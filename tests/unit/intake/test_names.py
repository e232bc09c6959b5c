"""What a document, a source and a label may be called."""

from __future__ import annotations

import unicodedata

import pytest

from atoll.domain.labels import clean_label
from atoll.errors import BadInput
from atoll.intake.names import clean_folder, clean_labels, clean_name, clean_source, join_source


@pytest.mark.parametrize("stem", ["x" * 300, "я" * 300, "語" * 300, "🐚" * 300])
def test_long_names_keep_their_extension_and_whole_characters(stem: str) -> None:
    name = clean_name(f"{stem}.pdf")
    assert len(name.encode()) <= 255
    assert len(name.encode()) > 250
    assert name.endswith(".pdf")
    assert set(name.removesuffix(".pdf")) == {stem[0]}
    assert unicodedata.is_normalized("NFC", name)


@pytest.mark.parametrize("given", ["", "..", "a/..", "/", "\x07", ". .".replace(" ", "")])
def test_names_of_nothing_are_refused(given: str) -> None:
    with pytest.raises(BadInput, match="name"):
        clean_name(given)


def test_labels_are_sorted_and_bounded() -> None:
    assert clean_labels(["b", " a ", "", "b"]) == ("a", "b")
    for bad in (["x" * 65], ["a,b"], ["a\nb"], [str(number) for number in range(33)]):
        with pytest.raises(BadInput):
            clean_labels(bad)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("\u200b\u200d.txt", ".txt"),
        ("a\u200bb\ufeff.txt", "ab.txt"),
        ("\u200eplan\u2060.txt", "plan.txt"),
        ("soft\u00adhyphen.txt", "softhyphen.txt"),
        ("\u200d\u200cplan\u200d.txt", "plan.txt"),
        ("می‌خواهم.txt", "می‌خواهم.txt"),
        ("👩\u200d🔬.txt", "👩\u200d🔬.txt"),
        ("क्\u200dष.txt", "क्\u200dष.txt"),
    ],
)
def test_what_nobody_sees_is_no_part_of_a_name(given: str, name: str) -> None:
    assert clean_name(given) == name


@pytest.mark.parametrize("given", ["\u200b", "\u200d\u200d", "\ufeff\u2060"])
def test_a_name_of_nothing_visible_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="name"):
        clean_name(given)


def test_sources_are_clean_and_bounded() -> None:
    assert clean_source("archive/2024\0\u200b") == "archive/2024"
    assert clean_source("Cafe\u0301") == "Café"
    assert clean_source(" \0 ") is None
    assert clean_source(None) is None
    with pytest.raises(BadInput, match="2048"):
        clean_source("x" * 2049)


def test_labels_that_look_alike_are_one_label() -> None:
    assert clean_label("Cafe\u0301 ") == clean_label("Café") == "Café"
    for bad in ("", "  ", "a,b", "a\u200bb", "a\0", "x" * 65):
        with pytest.raises(BadInput, match="label"):
            clean_label(bad)


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("a.txt", None),
        ("docs/a.txt", "docs"),
        ("./docs//2024/ a.txt", "docs/2024"),
        ("/etc/passwd", "etc"),
        ("../../etc/passwd", "etc"),
        ("a/../b/./c.txt", "b"),
        ("C:\\Users\\ada\\a.txt", "Users/ada"),
        ("do\u202ecs/a.txt", "docs"),
        ("e\u0301te\u0301/a.txt", "\u00e9t\u00e9"),
        (" / /a.txt", None),
    ],
)
def test_the_folder_part_of_a_path_is_a_relative_source(given: str, folder: str | None) -> None:
    assert clean_folder(given) == folder


def test_a_source_is_bounded_wherever_it_comes_from() -> None:
    with pytest.raises(BadInput, match="2048"):
        clean_folder("x/" * 1025 + "a.txt")
    with pytest.raises(BadInput, match="2048"):
        join_source("x" * 2040, "y" * 10)
    assert join_source("https://wiki.example/", "a/b") == "https://wiki.example/a/b"
    assert join_source(None, None) is None
    assert clean_source("docs/") == "docs"
