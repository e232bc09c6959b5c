"""Dates and times of workbooks, which count days, and how their parts are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: 1900 is no leap year, but workbooks count a 29 February of it: day 60. From there on days begin one earlier.
_LEAP_DAY = 60
_FIRST, _FIRST_1904 = datetime(1899, 12, 31, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)
#: The last day that a workbook can count, in the year 9999.
_LAST_DAY = 2_958_466
_NOON = 12
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and a time; ``hundredths`` of a second beside them."""

    at: datetime
    is_time_only: bool

    def part(self, code: str, *, is_minute: bool, is_half: bool) -> str:
        """What a run of a format's letters stands for, such as "yyyy", "mm" or "ddd"."""
        wide = len(code) > 1
        match code[0]:
            case "y":
                return f"{self.at.year:04d}" if len(code) >= _SHORT else f"{self.at.year % 100:02d}"
            case "d" if len(code) >= _SHORT:
                name = _DAYS[self.at.weekday()]
                return name[:3] if len(code) == _SHORT else name
            case "m" if len(code) >= _SHORT:
                name = _MONTHS[self.at.month - 1]
                return name[:3] if len(code) == _SHORT else name if len(code) != 5 else name[0]  # noqa: PLR2004
            case "h":
                number = (self.at.hour % _NOON or _NOON) if is_half else self.at.hour
            case "m":
                number = self.at.minute if is_minute else self.at.month
            case "s":
                number = self.at.second
            case _:
                number = self.at.day
        return f"{number:02d}" if wide else str(number)

    def half(self, code: str) -> str:
        """AM or PM, or A or P."""
        letter = "A" if self.at.hour < _NOON else "P"
        return letter if len(code) == _SHORT else f"{letter}M"

    def fraction(self, places: int) -> str:
        """Parts of a second."""
        return f".{self.at.microsecond:06d}"[: 1 + min(places, 6)]

    @staticmethod
    def elapsed(code: str, days: float) -> str:
        """Whole hours, minutes or seconds of a duration."""
        unit = {"h": 3600, "m": 60, "s": 1}[code[0]]
        return f"{int(round(abs(days) * 86_400) // unit):0{len(code)}d}"


def moment(days: float, *, from_1904: bool) -> Moment | None:
    """The moment that a count of days stands for, to a thousandth of a second; None where there is none."""
    if not -_LAST_DAY <= days < _LAST_DAY:
        return None
    whole = abs(days)
    if from_1904:
        first = _FIRST_1904
    else:
        first = _FIRST
        if whole >= _LEAP_DAY:
            whole -= 1
    try:
        at = first + timedelta(milliseconds=round(whole * 86_400_000))
    except OverflowError:
        return None
    return Moment(at, is_time_only=abs(days) < 1)


def iso(days: float, *, from_1904: bool) -> str:
    """A count of days as a date, a time or both, the year first."""
    found = moment(days, from_1904=from_1904)
    if found is None:
        return repr(days)
    at = found.at.replace(tzinfo=None)
    if found.is_time_only:
        return at.strftime("%H:%M:%S")
    return at.date().isoformat() if (at.hour, at.minute, at.second) == (0, 0, 0) else at.isoformat(timespec="seconds")
