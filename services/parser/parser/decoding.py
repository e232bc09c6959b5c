"""From bytes to text when nothing is promised about the encoding."""

from __future__ import annotations

import codecs

import charset_normalizer

from atoll.domain.media import HEAD_BYTES, utf16_order

#: Longest first: the UTF-32 mark starts with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings that are met in practice, so that a short text is not taken for something exotic.
_GUESSED = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256",
    "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
]  # fmt: skip
_SAMPLE_BYTES = 64 * 1024
_LAST_ASCII = 127
#: What text of western Europe has outside ASCII in Windows-1252: its letters, quotes, dashes and a few signs.
_WESTERN = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŒœ€…‘’“”•–—\xa0£§©«°µ»¿¡".encode("cp1252")
)
#: Below this many bytes outside ASCII there is too little to guess from.
_LEAST_EVIDENCE = 12


def decode(data: bytes, declared: str | None = None) -> str:
    """The text, by its byte order mark, its zero bytes, UTF-8 if it is that, ``declared``, a guess, else Latin-1.

    Never fails: bytes that do not fit become U+FFFD.
    """
    encoding = _marked(data) or utf16_order(data[:HEAD_BYTES])
    if encoding:
        return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as err:
        # A file that is UTF-8 but for its cut off end or a stray byte far in.
        if err.start > _SAMPLE_BYTES or err.end >= len(data) - 1 > HEAD_BYTES:
            return data.decode("utf-8", "replace")
        return data.decode(_known(declared) or _guess(data, err.start), "replace")


def _marked(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


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
    """An encoding that a sample around the first byte outside ASCII looks like."""
    start = max(0, first_foreign - _SAMPLE_BYTES // 2)
    sample = data[start : start + _SAMPLE_BYTES]
    foreign = sum(byte > _LAST_ASCII for byte in sample)
    western = _is_western(sample)
    if foreign < _LEAST_EVIDENCE or western:
        return "cp1252" if western else "latin-1"
    best = charset_normalizer.from_bytes(sample, cp_isolation=_GUESSED).best()
    return best.encoding if best else "latin-1"


def _is_western(sample: bytes) -> bool:
    """Whether the bytes outside ASCII are those of western Europe and, as there, mostly stand alone."""
    foreign = [index for index, byte in enumerate(sample) if byte > _LAST_ASCII]
    places = set(foreign)
    neighbours = sum(index + 1 in places for index in foreign)
    return neighbours <= len(foreign) // 10 and all(sample[index] in _WESTERN for index in foreign)
