"""Sentences of a text in any language, with their places in it; ingest and query cut texts at the same ends.

A line is never joined with the next, so that table rows and list items are sentences of their own. Within a line a
sentence ends after a terminator and white space, unless the word before is an abbreviation, an initial, an ordinal or
a part of a date, what follows goes on in lower case, or a short quotation is still open; scripts with full-width
terminators need no white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from atoll.domain.text.dates import is_month


class Span(NamedTuple):
    """A sentence's place: ``text[start:end]``, without white space around it."""

    start: int
    end: int


#: What is written with a full stop in the middle of a sentence, in lower case without the last stop.
ABBREVIATIONS = frozenset(
    """
    abb abs abt adj al allg anm appr approx apr aprox apt art asst aufl aug ausg av ave avv az bd bearb begr beil
    bes best betr bez bhf bl bldg blvd bsp bspw bzgl bzw ca cap capt cf cfr ch chap chr cit cl cmdr col comm corr
    cpl cpt d.h d.i dec dept desgl dgl dipl dir doc dott dr dres dt dtl durchschn e.g e.v ebd ed eds egtl eig
    einschl em eng entspr eq eqs erg erl esp esq est etw ev evtl ex exc exkl exx f fa feat feb ff fig figs fl fn fnr
    folg fr frl frz ft gal geb gegr gem gen gesch gest ggf ggü gl gov gov't griech hal hbf hdb hg hl hlm hon hr hrsg
    hs i.a i.d.r i.e i.s.d i.v.m ibid ill illus incl ing inh inkl insb insbes int intl ist jan jb jg jh jhd jul jun
    k.a kap kat kfm kgl kl kol komm konst korr lat lfd lfg lic lt lw m.a.w m.e m.w max med mil min mio misc mitgl
    mlle mm mme mod monogr mr mrd mrs ms msgr mt mtl mus mwst möbl n.chr n.v nat natl neg nl no nom nos nov nr nrn
    núm o.g o.ä obb oct od off okt op orig p pag partn pat pf pfd pfr pg phil pl pos pp pr priv prof prot prov präs
    psych pt pts publ pág párr qu quadr r.i.p ref refs reg rel rep res resp rev rfc rgbl rs röm s s.a s.l s.o s.u sd
    sec sect sek sen sep sept sg sgt sig sing sog sogl sp spec spez sq sr sra staatl std stdn stellv str stv subst
    suppl surv sym syn tab taf techn tel temp tgl th tit tr typ u.a u.a.m u.u u.v.m u.ä ung univ unv urspr usf verf
    vergl verh verm vers versch vert verw verz vgl viz vjh vol vols vorm vors vs vw w.r.t wg wiss wk ws wstl z.b
    z.hd z.t z.zt zb zit zool ztr ztw zur zw zz zzgl zzt österr überarb übers
    """.split()  # noqa: SIM905 - a word list reads better than a hundred quoted strings
)
#: Abbreviations that end a sentence as often as not; the word that follows tells.
_MAY_END = frozenset(
    """
    a.m art ave bros co corp etc gmbh ill inc ist jr ltd no off p.m plc sing sr st u.k u.s u.s.a usw
    """.split()  # noqa: SIM905
)
_STARTERS = frozenset(
    """
    a after all an and as at but by das der die diese dieser ein eine er es for from he her his however if il im in it
    its la le les nach no on our she since so that the their then there these they this those to under until we when
    while who with wir you
    """.split()  # noqa: SIM905
)
#: What stands before an ordinal: "am 3. Mai", "die 12. Kammer", "vom 1. bis 15.", "le 2. septembre".
_ORDINAL_LEADS = frozenset(
    """
    ab abb abbildung abschnitt al am an anhang anlage annex appendix auf beim bis chapter dal das dem den der des
    det die dne dnia do du e einen el ersten fig figure fra i il im ins item jeden jeder jedes kapitel kl la le les
    no nr o och od oder og oraz part schritt section seit step tab tabelle table teil til und vom vor zum zur §
    """.split()  # noqa: SIM905
)

_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_TERMINATORS = ".!?…؟۔։।॥።။។\u037e"
_END = re.compile(rf"[{_TERMINATORS}]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[」』）\"”’]*")
_END_BEFORE_MARKS = re.compile(
    rf"[{_TERMINATORS}]+[\"'”’»)]*(?:\s*\[[\d,;\s]{{1,20}}\])*(?=\s|$)|[。！？｡]+[」』）\"”’]*(?:\s*\[[\d,;\s]{{1,20}}\])*"
)
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘„«]+$")
_WORD_BEFORE = re.compile(r"([^\W\d_]+|\d{1,3}\.|§)\s+$")
_NEXT_WORD = re.compile(r"\s*[\"'“‘„«(\[]*([^\W\d_]+|\d{1,4})")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_NUMBERED = re.compile(r"(?=[^\s]*\d)[^\W_]+(?:[.\-/][^\W_]+)*")
_NUMERAL = re.compile(r"\d{1,3}|[IVXLC]{1,6}")
#: After "2020. 3." and "2020.3.30.": more of the date, or Korean, whose sentences do not end in a number.
_DATE_GOES_ON = re.compile(r"\s*(?:\d{1,2}\s*(?:[.:]|년|월|일|시|時|日)|[가-힣])")
#: A quotation of up to this many characters is not cut after its sentences.
_LONGEST_QUOTATION = 300
_QUOTATION = re.compile(
    rf'"[^"]{{1,{_LONGEST_QUOTATION}}}"|“[^”]{{1,{_LONGEST_QUOTATION}}}”|„[^“”]{{1,{_LONGEST_QUOTATION}}}[“”]|«[^»]{{1,{_LONGEST_QUOTATION}}}»'
)


def lines(text: str) -> list[Span]:
    """Return the spans of the lines of ``text`` that hold more than white space."""
    return [span for line in _LINE.finditer(text) for span in _trimmed(text, line.start(), line.end())]


def sentences(text: str, *, marks: bool = False) -> list[Span]:
    """Return the spans of the sentences of ``text``, in order; between them lies nothing but white space.

    With ``marks``, citation marks such as ``[1]`` after a full stop belong to the sentence before them.
    """
    return [span for line in _LINE.finditer(text) for span in _of_line(text, line.start(), line.end(), marks=marks)]


def _of_line(text: str, start: int, end: int, *, marks: bool) -> Iterator[Span]:
    begin = start
    quotations = [match.span() for match in _QUOTATION.finditer(text, start, end)]
    for match in (_END_BEFORE_MARKS if marks else _END).finditer(text, start, end):
        if any(left < match.start() and match.end() < right for left, right in quotations):
            continue
        if _ends_sentence(text, begin, match, end):
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
    yield from _trimmed(text, begin, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    if stripped := part.strip():
        left = start + len(part) - len(part.lstrip())
        yield Span(left, left + len(stripped))


def _ends_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    if match[0][0] not in ".…":
        return True
    if text[match.end() : end].lstrip()[:1].islower():
        return False
    before = _LAST_WORD.search(text, begin, match.start())
    if match[0][0] != "." or match[0].startswith(".."):
        return True
    if before is None:  # a closing quotation mark or bracket ends a sentence, a point by itself does not
        return begin < match.start() and not text[match.start() - 1].isspace()
    next_word = _NEXT_WORD.match(text, match.end(), end)
    after = next_word[1] if next_word else ""
    word = before[0].lower()
    if word in _MAY_END:
        return after.lower() in _STARTERS or not after
    first = before.start() == _first_visible(text, begin)
    goes_on = match[0] == "." and (
        word in ABBREVIATIONS or _is_initial(before[0]) or _is_ordinal(text, begin, before, after, end, match.end())
    )
    return not (goes_on or (first and _numbers_an_item(before[0])))


def _is_initial(word: str) -> bool:
    """Whether a word is a letter of a name, or several with points between: "J", "e.g"; a unit such as "h" is none."""
    return bool(_INITIALS.fullmatch(word)) and (word[0].isupper() or "." in word)


def _numbers_an_item(word: str) -> bool:
    """Whether a sentence's first word only numbers it: ``1.``, ``2.3.``, ``XX.2025.2.``; a year ends a sentence."""
    return bool(_NUMBERED.fullmatch(word)) and not (word.isdecimal() and len(word) > 2)  # noqa: PLR2004 - 1. to 99.


def _is_ordinal(text: str, begin: int, before: re.Match[str], after: str, end: int, at: int) -> bool:
    """Whether the full stop before ``at`` makes a number an ordinal or part of a date: "am 3. Mai", "2020. 3. 11."."""
    word = before[0]
    if all(part.isdecimal() for part in word.split(".")) and _DATE_GOES_ON.match(text, at, end):
        return True
    if not _NUMERAL.fullmatch(word):
        return False
    if word.isdecimal() and is_month(after):
        return True
    lead = _WORD_BEFORE.search(text, begin, before.start())
    return lead is not None and bool(after) and (lead[1].lower() in _ORDINAL_LEADS or lead[1][0].isdecimal())


def _first_visible(text: str, begin: int) -> int:
    return begin + len(text[begin:]) - len(text[begin:].lstrip())
