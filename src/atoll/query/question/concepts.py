"""The parts of a question that an answer must meet: names, codes, numbers, dates, and the words of what is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from atoll.domain.text.dates import Date, dates
from atoll.domain.text.folding import folded
from atoll.domain.text.numbers import WORDS, values_of
from atoll.query.question.concept import Concept, Part
from atoll.query.question.lexicon import bases, is_generic, kin, phrase_of
from atoll.query.text.terms import Terms, TermSet

#: Most concepts of a question; what follows is left out.
MAX_CONCEPTS = 24

_TOKEN = re.compile(r"[^\W_]+(?:(?:[-'’./&+#:]|(?<=\d),(?=\d))[^\W_]+)*")
_POSSESSIVE = re.compile(r"['’]s?$|['’]s(?=$|-)")
_QUANTITY = re.compile(r"\d[\d.,:]*")
YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_CONNECTORS = frozenset({"of", "de", "du", "des", "del", "la", "von", "van", "der", "den", "&", "y", "och", "og"})
_OPENERS = frozenset(
    """
    are at by can compare could define describe did do does during enumerate explain find for from give had has have how
    in is list may might must name of on please shall should show since tell the to was were what when where which who
    whom whose why will with would
    was wann warum wo wer wem wie wieso welche welcher welches nenne erkläre ist sind gibt bis seit
    qui que quel quelle quand où comment combien pourquoi
    """.split()  # noqa: SIM905
)
#: Words before a number that do not make it one of many.
_NO_LABELS = frozenset(
    """
    about above after all almost and around at before below between by during each every exactly for from in last least
    less more most nearly next no of on only or over past per since some than the these those to under until up with
    within ab bei bis für in mit nach seit um unter von vor über zu
    """.split()  # noqa: SIM905
)
_LABEL_GAPS = frozenset({" ", " no. ", " No. ", " number ", " Nr. ", " Nummer ", " n° ", " # "})
_LONGEST_LABEL = 3
_LONGEST_PHRASE = 4
_UNIT = re.compile(r"[^\W\d_]{1,3}")
#: What may stand before a date that the answer need not name: "the next meeting after 14 March".
_AROUND = re.compile(
    r"\b(?:after|before|since|until|till|by|from|between|following|nach|vor|seit|bis)\s+(?:the\s+)?$", re.IGNORECASE
)
#: What is asked for stands behind these words.
_ASKS_FOR = re.compile(
    r"\b(?:how (?:many|much)|list(?: all)?(?: the)?|name(?: all)?(?: the)?|which|what (?:are|were) (?:all )?(?:the|our)"
    r"|who (?:are|were) the|number of|wie ?viele?|welche[rns]?|nenne(?: alle)?)\b",
    re.IGNORECASE,
)
_MORE_OF = re.compile(
    r"\b(?:more|fewer|less|most|fewest|mehr|weniger)\b(?!\s+(?:than|on|in|als)\b)(?=\s+\w)", re.IGNORECASE
)
_BESIDES = re.compile(r"\b(?:besides|other than|apart from|except(?: for)?|außer|neben)\b", re.IGNORECASE)
#: What stands behind these words says when or under what circumstances, and counts less.
_CIRCUMSTANCE = re.compile(
    r"(?<=\w )(?:after|before|while|once|nachdem|bevor|während|obwohl|although)\b", re.IGNORECASE
)
_ASIDE = 0.5
_ADVERB = re.compile(
    r"(?!.*(?:daily|weekly|monthly|yearly|hourly|early|supply|reply|apply|family|assembly)$)[a-z]{3,}ly"
)
_BREAK = re.compile(r"[,;?]")
#: Endings of a word's forms, with what its base form has instead.
_FORMS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ied", "y"), ("d", ""), ("ing", ""), ("ier", "y"), ("iest", "y"),
    ("er", ""), ("est", ""),
)  # fmt: skip
_BEGINNING = 5


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


def concepts(question: str, terms: Terms) -> tuple[Concept, ...]:
    """Return the parts of a question in its order, at most `MAX_CONCEPTS`."""
    found_dates = dates(question)
    words = [word for word in _words(question) if not any(d.start <= word.start < d.end for d in found_dates)]
    found = [_dated(question, date, terms) for date in found_dates]
    wanted = terms.of_question(question)
    labels = dict(_labels(question, words, terms))
    skipped = {at + 1 for at in labels} | _measures(question, words) | ({0} if _opens(words) else set())
    groups = _name_groups(question, words, wanted, terms)
    for at, word in enumerate(words):
        if at in labels:
            found.append(labels[at])
        elif at not in skipped:
            phrase = _phrase_at(words, at, wanted, terms) if at not in groups else ""
            skipped |= set(range(at + 1, at + len(phrase.split("_"))))
            concept = _of_word(word, wanted, terms, groups.get(at, -1), phrase)
            if concept is not None:
                counted = concept.part is Part.NUMBER and not YEAR.fullmatch(word.text)
                unit = _unit_after(question, words, at, terms) if counted else frozenset()
                found.append(replace(concept, unit=unit))
    found.sort(key=lambda concept: concept.start)
    return tuple(_marked(question, found[:MAX_CONCEPTS]))


def _marked(question: str, found: list[Concept]) -> Iterator[Concept]:
    """Yield the parts, with the key and what is excluded marked."""
    asks = _MORE_OF.search(question) or _ASKS_FOR.search(question)
    able = [part for part in found if asks and part.start >= asks.end() and not part.generic and not part.is_hard]
    key = next((part for at, part in enumerate(able) if not _is_said_of_next(question, able, at)), None)
    aside = _CIRCUMSTANCE.search(question)
    besides = _BESIDES.search(question)
    for part in found:
        excluded = (
            besides is not None
            and part.start >= besides.end()
            and not _BREAK.search(question[besides.end() : part.start])
        )
        said_aside = aside is not None and part.start >= aside.end() and not part.is_hard
        share = _ASIDE if said_aside or _says_how(part) else part.share
        yield replace(part, key=part is key, excluded=excluded, share=share, soft=part.soft or said_aside)


def _says_how(part: Concept) -> bool:
    """Whether a word is an adverb: "badly"."""
    return part.part is Part.WORD and _ADVERB.fullmatch(part.text) is not None


def _is_said_of_next(question: str, parts: Sequence[Concept], at: int) -> bool:
    """Whether a word says how the thing is that is named next: "used oil", "missing bolts"."""
    part = parts[at]
    return (
        part.part is Part.WORD
        and part.text.endswith(("ed", "ing"))
        and at + 1 < len(parts)
        and question[part.end : parts[at + 1].start] == " "
    )


def _opens(words: Sequence[_Word]) -> bool:
    return bool(words) and words[0].text.casefold() in _OPENERS


def _measures(question: str, words: Sequence[_Word]) -> set[int]:
    """Return which words are the units of the number before them: "24.2 V", "10 kW"."""
    return {
        at + 1
        for at, (number, unit) in enumerate(pairwise(words))
        if _QUANTITY.fullmatch(number.text)
        and _UNIT.fullmatch(unit.text)
        and question[number.end : unit.start] == " "
        and not (unit.text.islower() and unit.text in _NO_LABELS)
    }


def _words(question: str) -> Iterator[_Word]:
    for match in _TOKEN.finditer(question):
        text = _POSSESSIVE.sub("", match[0])
        if text:
            yield _Word(text, match.start(), match.start() + len(text))


def _unit_after(question: str, words: Sequence[_Word], at: int, terms: Terms) -> TermSet:
    """Return the terms of what a number is of, if that follows at once: "three months", "28 days"."""
    if (
        at + 1 == len(words)
        or question[words[at].end : words[at + 1].start] != " "
        or not words[at + 1].text[0].islower()
    ):
        return frozenset()
    return terms.of_question(words[at + 1].text) if words[at + 1].text not in _NO_LABELS else frozenset()


def _dated(question: str, date: Date, terms: Terms) -> Concept:
    text = question[date.start : date.end]
    soft = bool(_AROUND.search(question[: date.start]))
    return Concept(Part.DATE, text, date.start, date.end, terms.of_passage(text), date=date, soft=soft)


def _labels(question: str, words: Sequence[_Word], terms: Terms) -> Iterator[tuple[int, Concept]]:
    """Yield words with the number or letter after them that makes one of many of them: "Route 2", "case 6"."""
    for at, (word, mark) in enumerate(pairwise(words)):
        gap, plain = question[word.end : mark.start], word.text.casefold()
        if gap not in _LABEL_GAPS or plain in _OPENERS or plain in _NO_LABELS or not word.text[-1].isalpha():
            continue
        if _numbers_one_of_many(word.text, mark.text) or _letters_one_of_many(word, mark):
            text = f"{word.text} {mark.text}"
            yield (
                at,
                Concept(
                    Part.LABELLED, text, word.start, mark.end, terms.of_passage(word.text), number=mark.text.casefold()
                ),
            )


def _numbers_one_of_many(word: str, mark: str) -> bool:
    """Whether a number after a word is a label: "Route 2", "UN 1978", "Notice 18/24"; a year is none."""
    if mark.isdecimal():
        return len(mark) <= _LONGEST_LABEL or (word.isupper() and len(word) > 1)
    return "/" in mark and mark.replace("/", "").isdecimal()


def _letters_one_of_many(word: _Word, mark: _Word) -> bool:
    """Whether a capital letter after a word is a label: "choice B"; "I" and an "A" that goes on are words."""
    if len(mark.text) != 1 or not mark.text.isupper() or mark.text == "I" or not word.text[0].isalpha():
        return False
    return mark.text != "A" or word.text[0].islower()


def _name_groups(question: str, words: Sequence[_Word], wanted: TermSet, terms: Terms) -> dict[int, int]:
    """Return which words are parts of names: runs of words with capital letters, by the number of their run."""
    groups: dict[int, int] = {}
    number = 0
    for at, word in enumerate(words):
        if not word.text[0].isupper() or (at == 0 and word.text.casefold() in _OPENERS):
            continue
        if at == 0 and not _begins_with_a_name(question, words, wanted, terms):
            continue
        before = at - 1
        if before >= 0 and words[before].text.casefold() in _CONNECTORS and before - 1 in groups:
            before -= 1
        joined = before in groups and not set(question[words[before].end : word.start]) & set(',;:()"“”/')
        number += 0 if joined else 1
        groups[at] = groups[before] if joined else number
    return groups


def _begins_with_a_name(question: str, words: Sequence[_Word], wanted: TermSet, terms: Terms) -> bool:
    """Whether the first word is a name, which has its capital in any case: with another one, or as an owner."""
    first = words[0]
    if len(words) > 1 and words[1].text[0].isupper():
        return True
    return (
        bool(terms.of_passage(first.text) & wanted)
        and _POSSESSIVE.match(question[first.end : first.end + 2]) is not None
    )


def _phrase_at(words: Sequence[_Word], at: int, wanted: TermSet, terms: Terms) -> str:
    """Return the phrase of one meaning that begins with a content word: "sent_for", "give_back"; "" if none does."""
    if not terms.of_passage(words[at].text) & wanted:
        return ""
    following = [folded(word.text.casefold()) for word in words[at : at + _LONGEST_PHRASE]]
    return phrase_of(following, terms.primary) or ""


def _of_word(word: _Word, wanted: TermSet, terms: Terms, group: int, phrase: str = "") -> Concept | None:
    text = word.text
    own = terms.of_passage(text)
    has_digit = any(map(str.isdecimal, text))
    if has_digit and _QUANTITY.fullmatch(text):
        return Concept(
            Part.NUMBER,
            text,
            word.start,
            word.end,
            own,
            number=text,
            values=values_of(text) if ":" not in text else frozenset({text}),
        )
    if has_digit:
        return Concept(Part.CODE, text, word.start, word.end, own, number=text.casefold())
    if not own & wanted:
        return None
    if text.casefold() in WORDS:
        value = frozenset({str(WORDS[text.casefold()])})
        return Concept(Part.NUMBER, text, word.start, word.end, own, number=text, values=value, soft=True)
    plain, forms = folded(text.casefold()), terms.forms(text)
    language = terms.primary
    alike = (*kin(phrase, language), *kin(plain, language), *_kin_of_stem(plain, language))
    generic = is_generic(plain, language) and not phrase
    single = [each for each in alike if "_" not in each]
    if group >= 0:
        return Concept(Part.NAME, text, word.start, word.end, forms, own - forms, group=group)
    return Concept(
        Part.WORD,
        text,
        word.start,
        word.end,
        forms,
        own - forms,
        kin=terms.of_words((*(each for each in single if not is_generic(each, language)), *bases(plain))) - forms,
        distant=terms.of_words(each for each in single if is_generic(each, language)),
        phrases=tuple(each.replace("_", " ") for each in alike if "_" in each),
        beginning=plain if len(plain) >= _BEGINNING else "",
        generic=generic,
    )


def _kin_of_stem(word: str, language: str) -> tuple[str, ...]:
    """The kin of a word's base form, for endings that questions use: "costs", "reported", "opening", "heavier"."""
    for ending, instead in _FORMS:
        base = word.removesuffix(ending) + instead if word.endswith(ending) else word
        if base != word and len(base) > 2 and (found := kin(base, language) or kin(base + "e", language)):  # noqa: PLR2004
            return found
    return ()
