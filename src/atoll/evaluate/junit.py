"""A run as JUnit XML, as build servers read it: a suite a kind, a test a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from atoll.evaluate.report import Judged

#: What XML 1.0 cannot hold.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(items: Sequence[Judged]) -> str:
    """Return the run as XML; what did not go as it should is a failure with its reason and the answer."""
    root = Element("testsuites", name="atoll eval", tests=str(len(items)), failures=str(_failures(items)))
    for kind in dict.fromkeys(each.question.kind for each in items):
        some = [each for each in items if each.question.kind == kind]
        suite = SubElement(root, "testsuite", name=_clean(kind), tests=str(len(some)), failures=str(_failures(some)))
        for each in some:
            name = _clean(f"{each.question.id} {each.question.text}")
            case = SubElement(suite, "testcase", classname=_clean(f"atoll.eval.{kind}"), name=name)
            if not each.good:
                SubElement(case, "failure", message=_clean(each.why)).text = _clean(each.answer)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _failures(items: Sequence[Judged]) -> int:
    return sum(not each.good for each in items)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
