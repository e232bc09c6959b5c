"""Office Open XML packages: parts and how they refer to each other, transitional and Strict alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from parser.archive import Archive, resolved
from parser.text import on_one_line

if TYPE_CHECKING:
    from parser.limits import ContentLimits

_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
#: Names of Strict Open XML and what they are called in transitional files, longest first.
_STRICT = (
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (b"http://purl.oclc.org/ooxml/officeDocument/", b"http://schemas.openxmlformats.org/officeDocument/2006/"),
    (b"http://purl.oclc.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
    (b"http://purl.oclc.org/ooxml/wordprocessingml/", b"http://schemas.openxmlformats.org/wordprocessingml/2006/"),
    (b"http://purl.oclc.org/ooxml/spreadsheetml/", b"http://schemas.openxmlformats.org/spreadsheetml/2006/"),
    (b"http://purl.oclc.org/ooxml/presentationml/", b"http://schemas.openxmlformats.org/presentationml/2006/"),
    (b"http://purl.oclc.org/ooxml/schemaLibrary/", b"http://schemas.openxmlformats.org/schemaLibrary/2006/"),
)  # fmt: skip
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_TITLE_CHARACTERS = 500
_STRICT_MARK = b"http://purl.oclc.org/ooxml/"

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to: the last word of its type ("header", "footnotes"), and the part's name."""

    type: str
    target: str
    is_external: bool


class Package:
    """An opened package.

    Raises:
        DocumentUnreadable, DocumentTooLarge: see `parser.archive.Archive`.
    """

    def __init__(self, data: bytes, limits: ContentLimits, *, what: str, old: str) -> None:
        self._archive = Archive(data, limits, what=what, old=old)
        self._relations: dict[str, dict[str, Relation]] = {}

    @property
    def main(self) -> str | None:
        """The name of the package's main part, if it says which."""
        found = (each for each in self.relations("").values() if each.type == "officeDocument")
        return next((each.target for each in found if self.has(each.target)), None)

    def has(self, name: str) -> bool:
        """Whether there is a part of that name."""
        return self._archive.has(name)

    def read(self, name: str) -> bytes:
        """A part's bytes, Strict names as transitional ones. Raises DocumentUnreadable."""
        content = self._archive.read(name)
        if _STRICT_MARK in content[:8192]:
            for strict, transitional in _STRICT:
                content = content.replace(strict, transitional)
        return content

    def open(self, name: str) -> IO[bytes]:
        """A part as a stream, with its names as they are written. Raises DocumentUnreadable."""
        return self._archive.open(name)

    @property
    def title(self) -> str | None:
        """The title that the package's properties give."""
        for name in self.related("", "core-properties"):
            found = self.xml(name).find(_TITLE)
            if found is not None and found.text:
                return on_one_line(found.text)[:_TITLE_CHARACTERS] or None
        return None

    def xml(self, name: str) -> Any:
        """The root of a part. Raises DocumentUnreadable."""
        return self._archive.root(name, self.read(name))

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part refers to, by id; of the package itself for the empty name."""
        if part not in self._relations:
            folder, _, name = part.rpartition("/")
            path = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
            found: dict[str, Relation] = {}
            if self.has(path):
                for each in self.xml(path).iter(_RELATIONSHIPS):
                    external = each.get("TargetMode") == "External"
                    target = each.get("Target", "")
                    type_ = each.get("Type", "").rpartition("/")[2]
                    found[each.get("Id", "")] = Relation(
                        type_, target if external else resolved(part, target), external
                    )
            self._relations[part] = found
        return self._relations[part]

    def related(self, part: str, *types: str) -> list[str]:
        """The parts of these types that a part refers to, in the order of their ids, each once."""
        found = self.relations(part).values()
        names = (each.target for each in found if each.type in types and not each.is_external and self.has(each.target))
        return list(dict.fromkeys(names))


def is_on(properties: Any, name: str, otherwise: bool = False) -> bool:
    """A property that is on where it stands without a value, unless its value says off."""
    found = properties.find(name) if properties is not None else None
    if found is None:
        return otherwise
    return found.get(f"{W}val", "true").lower() not in {"0", "false", "off", "none"}


def value_of(properties: Any, name: str) -> str | None:
    """The value of a property, None where it is not given."""
    found = properties.find(name) if properties is not None else None
    return None if found is None else str(found.get(f"{W}val", ""))


def whole_of(properties: Any, name: str, otherwise: int = 0) -> int:
    """A property's value as a whole number."""
    text = value_of(properties, name)
    return int(text) if text and text.lstrip("-").isdecimal() and len(text) < 6 else otherwise  # noqa: PLR2004
