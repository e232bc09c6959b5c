"""Tesseract inside this process: its languages here, which way up a picture is, and what is written in it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read when the library is loaded: a child may not start threads.
os.environ.update({"OMP_THREAD_LIMIT": "1"})

import tesserocr
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Where Debian's packages tesseract-ocr-* and other systems put their data.
_FOLDERS = tuple(
    map(Path, ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata"))
)
#: From such a confidence on, what is found about the direction of a picture is believed.
_SURE_OF_TURN = 2.0
#: A picture that reads better than that, in parts of a hundred, is the right way up.
_READS_WELL = 70
_TURNS = 4
_WORD_CONFIDENCE = 1.0


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its edges in pixels of the picture as it was read, and how sure it is, of a hundred."""

    text: str
    left: int
    top: int
    right: int
    bottom: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Writing:
    """What a picture holds: lines of words from top to bottom, with the height of each line's type in pixels.

    ``turn`` is by how many degrees the picture was turned clockwise before it was read; ``confidence`` the mean of the
    words', of a hundred.
    """

    lines: tuple[tuple[float, tuple[Word, ...]], ...]
    turn: int
    confidence: float


class Engine:
    """Reads pictures in the languages whose data are there; raises nothing where none are.

    ``seconds`` is the processor time that one document's pictures may take.
    """

    def __init__(self, folder: Path | None, languages: Sequence[str], seconds: float) -> None:
        self._folder = folder or next((each for each in _FOLDERS if each.is_dir()), _FOLDERS[0])
        self._seconds = seconds
        self.missing = tuple(each for each in languages if not self._has(each))
        self._languages = tuple(each for each in languages if self._has(each))
        self._reader: Any = None
        self._compass: Any = None
        self._spent = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether there are data for at least one language."""
        return bool(self._languages)

    @property
    def is_spent(self) -> bool:
        """Whether the time for this document's pictures is used up."""
        return self._spent >= self._seconds

    @property
    def name(self) -> str:
        """Engine, version and languages, for the record of what read a document."""
        version = str(tesserocr.tesseract_version()).split()[1]
        return f"tesseract {version} ({'+'.join(self._languages)})"

    def read(self, picture: Image.Image) -> Writing:
        """What is written in a grey picture, whichever way up it is."""
        began = time.process_time()
        try:
            return self._read(picture)
        finally:
            self._spent += time.process_time() - began

    def _read(self, picture: Image.Image) -> Writing:
        turn, is_sure = self._direction(picture)
        best = self._written(picture, turn)
        if is_sure or not best.lines or best.confidence >= _READS_WELL:
            return best
        others = (self._written(picture, 90 * step) for step in range(_TURNS) if 90 * step != turn)
        return max((best, *others), key=lambda each: each.confidence)

    def _has(self, language: str) -> bool:
        return (self._folder / f"{language}.traineddata").is_file()

    def _direction(self, picture: Image.Image) -> tuple[int, bool]:
        """By how much to turn a picture clockwise, and whether that is sure."""
        if not self._has("osd"):
            return 0, False
        if self._compass is None:
            self._compass = self._api("osd", tesserocr.PSM.OSD_ONLY)
        self._compass.SetImage(picture)
        found = self._compass.DetectOrientationScript()
        if not found or found["orient_conf"] < _SURE_OF_TURN:
            return 0, False
        return (360 - int(found["orient_deg"])) % 360, True

    def _written(self, picture: Image.Image, turn: int) -> Writing:
        if self._reader is None:
            self._reader = self._api("+".join(self._languages), tesserocr.PSM.AUTO)
        self._reader.SetImage(picture.rotate(-turn, expand=True) if turn else picture)
        self._reader.Recognize()
        lines = [(height, tuple(words)) for height, words in self._lines() if words]
        sure = [word.confidence for _, words in lines for word in words]
        return Writing(tuple(lines), turn, sum(sure) / len(sure) if sure else 0.0)

    def _lines(self) -> Iterator[tuple[float, list[Word]]]:
        level = tesserocr.RIL
        height, words = 0.0, list[Word]()
        for each in tesserocr.iterate_level(self._reader.GetIterator(), level.WORD):
            if each.Empty(level.WORD):
                continue
            if each.IsAtBeginningOf(level.TEXTLINE):
                yield height, words
                words = []
                row = each.RowAttributes()
                height = float(row["row_height"]) if row else 0.0
            text, box = each.GetUTF8Text(level.WORD).strip(), each.BoundingBox(level.WORD)
            confidence = float(each.Confidence(level.WORD))
            if text and box and confidence >= _WORD_CONFIDENCE:
                left, top, right, bottom = box
                words.append(Word(text, left, top, right, bottom, confidence))
        yield height, words

    def _api(self, languages: str, mode: int) -> Any:
        # Directions are told by the older engine, whose data the newer one's languages do not have.
        kind = tesserocr.OEM.DEFAULT if mode == tesserocr.PSM.OSD_ONLY else tesserocr.OEM.LSTM_ONLY
        return tesserocr.PyTessBaseAPI(path=f"{self._folder}{os.sep}", lang=languages, psm=mode, oem=kind)
