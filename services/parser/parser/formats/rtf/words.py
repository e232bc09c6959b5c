"""Control words of RTF that stand for a sign, that begin what is no text, and the encodings that fonts name."""

from __future__ import annotations

import codecs

SIGNS = {
    "tab": " ", "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c",
    "rdblquote": "\u201d", "bullet": "\u2022", "emspace": " ", "enspace": " ", "qmspace": " ",
}  # fmt: skip
#: What begins groups that hold settings, pictures and the like.
SKIPPED = frozenset(
    """
    colortbl stylesheet listtable listoverridetable revtbl rsidtbl generator pict object objdata fldinst themedata
    colorschememapping datastore latentstyles xmlnstbl author operator company manager category keywords comment doccomm
    subject creatim revtim printim buptim hlinkbase template annotation atnid atnauthor atndate atnref atnicn ftnsep
    ftnsepc aftnsep aftnsepc ftncn aftncn sp sn sv nonshppict nestt pnseclvl bkmkstart bkmkend xe tc deleted
    """.split()  # noqa: SIM905 - a word list reads better than fifty quoted strings
)
#: Encodings by the number of a font's character set.
CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "shift_jis", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 255: "cp437",
}  # fmt: skip


def codec_of(number: int | None) -> str | None:
    """The codec of a code page, if Python has it."""
    name = {10000: "mac_roman", 65001: "utf-8"}.get(number or 0, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
