"""From bytes to text when nothing is promised about the encoding."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, NamedTuple

import charset_normalizer

from atoll.domain.media import HEAD_BYTES, utf16_order
from parser.plausible import cost

if TYPE_CHECKING:
    from parser.collector import Collector

#: Longest first: the UTF-32 mark starts with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings that are met in practice, the likelier first: of two that read a text alike, the first is taken.
_SINGLE_BYTE = (
    "cp1252", "cp1250", "cp1251", "iso8859_15", "iso8859_2", "mac_roman", "cp850", "cp437", "cp852", "koi8_r", "koi8_u",
    "cp866", "mac_cyrillic", "cp1253", "cp1254", "cp1257", "cp1255", "cp1256", "mac_latin2", "cp1258",
)  # fmt: skip
_MULTI_BYTE = ["shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
_SAMPLE_BYTES = 64 * 1024
#: Bytes by which the encodings of one byte a letter are compared.
_JUDGED_BYTES = 8 * 1024
_LAST_ASCII = 127
#: Below this many bytes outside ASCII there is too little to tell the encodings of East Asia by.
_LEAST_EVIDENCE = 8


class Decoded(NamedTuple):
    """A text, its encoding, and whether that was only guessed."""

    text: str
    encoding: str
    is_guess: bool


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """The text, by its byte order mark, its zero bytes, UTF-8 if it is that, ``declared``, or a guess.

    Never fails: bytes that do not fit become U+FFFD.
    """
    if encoding := next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None):
        return Decoded(data.decode(encoding, "replace"), encoding, is_guess=False)
    if wide := utf16_order(data[:HEAD_BYTES]):
        return Decoded(data.decode(wide, "replace"), wide, is_guess=True)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", is_guess=False)
    except UnicodeDecodeError as err:
        # A file that is UTF-8 but for its cut off end or a stray byte far in.
        if err.start > _SAMPLE_BYTES or err.end >= len(data) - 1 > HEAD_BYTES:
            return Decoded(data.decode("utf-8", "replace"), "utf-8", is_guess=False)
        if known := _known(declared):
            return Decoded(data.decode(known, "replace"), known, is_guess=False)
        guess = _guess(data, err.start)
        return Decoded(data.decode(guess, "replace"), guess, is_guess=True)


def text_of(data: bytes, collector: Collector, declared: str | None = None) -> str:
    """The text of a file, with a warning where its encoding was guessed or bytes were lost."""
    found = decode(data, declared)
    collector.encoding = found.encoding
    if found.is_guess:
        collector.warn(
            "encoding_guessed",
            f"the file does not say how its letters are encoded; it was read as {found.encoding}. If letters are "
            "wrong, save it as UTF-8 and upload it again",
        )
    lost = found.text.count("\ufffd")
    if lost:
        collector.warn("undecodable", f"{lost} places of the file are no text in {found.encoding}; save it as UTF-8")
    return found.text


def _known(encoding: str | None) -> str | None:
    """The declared encoding if Python has it as a text encoding other than UTF-8, which was tried already."""
    if not encoding:
        return None
    try:
        found = codecs.lookup(encoding)
        "".encode(found.name)
    except LookupError:
        return None
    # Pages that say Latin-1 mean its superset; so do browsers read them.
    return {"iso8859-1": "cp1252", "utf-8": None}.get(found.name, found.name)


def _guess(data: bytes, first_foreign: int) -> str:
    """An encoding in which a sample around the first byte outside ASCII is most like written language."""
    start = max(0, first_foreign - _SAMPLE_BYTES // 2)
    sample = data[start : start + _SAMPLE_BYTES]
    if sum(byte > _LAST_ASCII for byte in sample) >= _LEAST_EVIDENCE:
        best = charset_normalizer.from_bytes(sample, cp_isolation=_MULTI_BYTE).best()
        if best and _is_east_asian(str(best)):
            return best.encoding
    start = max(0, first_foreign - _JUDGED_BYTES // 4)
    judged = data[start : start + _JUDGED_BYTES]
    costs = [(cost(judged.decode(encoding, "replace")), order) for order, encoding in enumerate(_SINGLE_BYTE)]
    return _SINGLE_BYTE[min(costs)[1]]


def _is_east_asian(text: str) -> bool:
    """Whether nearly all that is not ASCII is of East Asia: bytes of another language decode to a mixture."""
    foreign = [character for character in text if ord(character) > _LAST_ASCII]
    inside = sum(
        "\u3000" <= character <= "\u30ff" or "\u4e00" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3"
        or "\uff01" <= character <= "\uff5e" or "\u2010" <= character <= "\u2026"
        for character in foreign
    )  # fmt: skip
    return len(foreign) > 0 and inside >= 0.95 * len(foreign)
