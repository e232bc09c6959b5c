"""Text as it is kept: NFC, logical order, no character that a reader cannot see."""

from __future__ import annotations

import re
import unicodedata

#: Characters that can make a text say one thing to a reader and another to a program: bidirectional embeddings,
#: overrides and isolates, zero-width spaces, invisible operators, tag characters and supplementary variation selectors.
_HIDING = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060-\u2065\U000e0000-\U000e007f\U000e0100-\U000e01ef]")
#: Invisible characters with honest uses (joiners, marks of direction, soft hyphens, variation selectors), and controls.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180b-\u180e\u200c-\u200f\u206a-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")

_SCRIPTS_WITHOUT_SPACES = (
    "\u2e80-\u2fdf\u3000-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff"
)
#: A word, a run of spaces, or one character of a script that breaks between any two: Han, kana, their punctuation.
TOKEN = re.compile(f" +|[{_SCRIPTS_WITHOUT_SPACES}]|[^ {_SCRIPTS_WITHOUT_SPACES}]+")
#: The same and hangul, which has spaces but is broken inside words all the same.
BROKEN_ANYWHERE = re.compile(f"[{_SCRIPTS_WITHOUT_SPACES}\u1100-\u11ff\uac00-\ud7af]")

TAB_COLUMNS = 4
#: How the boxes of forms are written.
TICKED, UNTICKED = "\u2612", "\u2610"


def hides_characters(text: str) -> bool:
    """Whether the text holds characters that only serve to hide something from its reader."""
    return not text.isascii() and _HIDING.search(text) is not None


def visible(text: str) -> str:
    """The text in NFC without invisible and control characters; line breaks are newlines, spaces stay as many."""
    text = _LINE_BREAK.sub("\n", text)
    if not text.isascii():
        text = _SPACE.sub(" ", _HIDING.sub("", text))
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def flowing(text: str) -> str:
    """`visible` text of a paragraph: runs of spaces are one, none at line ends."""
    lines = (_SPACES.sub(" ", line).strip() for line in visible(text).split("\n"))
    return "\n".join(line for line in lines if line)


def on_one_line(text: str) -> str:
    """`flowing` text whose line breaks are spaces."""
    return flowing(text).replace("\n", " ")


def preformatted(text: str) -> str:
    """`visible` text of code: tabs expanded, line breaks and leading spaces kept, blank lines at the ends dropped."""
    lines = [line.expandtabs(TAB_COLUMNS).rstrip() for line in visible(text).split("\n")]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return "\n".join(lines)
