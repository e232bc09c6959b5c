"""What a label may be, and which characters of what callers write are kept: one rule for documents and for keys."""

from __future__ import annotations

import unicodedata

from atoll.errors import BadInput

MAX_LABEL_CHARACTERS = 64
#: Joiners change how the letters around them are written, in Persian, in Indic scripts and in emoji.
_JOINERS = frozenset("\u200c\u200d")
#: Control characters, surrogates, separators of lines, and what is written and never seen: zero-width characters, and
#: marks that turn the direction of what follows, which can make `exe.pdf` look like `fdp.exe`.
_UNSEEN = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})


def visible(given: str) -> str:
    """Return a text in NFC without the characters that nobody sees; joiners stay where they join something."""
    kept = [each for each in given if each in _JOINERS or unicodedata.category(each) not in _UNSEEN]
    return unicodedata.normalize("NFC", "".join(each for at, each in enumerate(kept) if _is_kept(kept, at)))


def clean_label(given: str) -> str:
    """Return a label in NFC without blanks around it; what does not differ to the eye is the same label.

    Raises:
        BadInput: it is empty or too long, or has a comma (which separates labels) or a character that is not shown.
    """
    label = unicodedata.normalize("NFC", given.strip())
    if not 0 < len(label) <= MAX_LABEL_CHARACTERS or "," in label or visible(label) != label:
        raise BadInput(
            f"a label has 1 to {MAX_LABEL_CHARACTERS} characters, no comma and no character that is not shown"
        )
    return label


def _is_kept(kept: list[str], at: int) -> bool:
    """Whether a character stays: a joiner only between characters that can be joined."""
    if kept[at] not in _JOINERS:
        return True
    return 0 < at < len(kept) - 1 and all(unicodedata.category(kept[side])[0] in "LMS" for side in (at - 1, at + 1))
