"""How answers are judged, and how a file of questions is read."""

from __future__ import annotations

import json

import pytest

from atoll.errors import BadInput
from atoll.evaluate.questions import Question, read_questions
from atoll.evaluate.report import Judged, as_json, by_kind, since
from atoll.evaluate.verdict import judged

ASKED = Question(
    "a", "fact", "How heavy?", answerable=True, expect_all=("4[.,]4",), forbid=("deposit",),
    documents=frozenset({"list.md"}), pages=(("list.md", 2),),
)  # fmt: skip
UNKNOWN = Question("b", "far", "Who?", answerable=False)


def body(answer: str, *cited: tuple[str, int], by: str = "extract", evidence=(), sentences: int = 1):
    refused = by == "none"
    return {
        "answer": answer,
        "answered_by": by,
        "refusal": {"reason": "not_found"} if refused else None,
        "sentences": [{"text": answer, "citations": [n for n, _ in enumerate(cited, 1)]}]
        * (0 if refused else sentences),
        "citations": [
            {"n": n, "evidence": {"document": name, "page": page}} for n, (name, page) in enumerate(cited, 1)
        ],
        "evidence": [{"document": name, "page": page} for name, page in (*evidence, *cited)],
    }


def test_an_answer_is_usable_with_what_is_expected_from_where_it_stands():
    verdict = judged(ASKED, body("It weighs 4,4 kg [1].", ("list.md", 2)))
    assert (verdict.right, verdict.page, verdict.first, verdict.usable, verdict.clean) == (True,) * 5
    assert not judged(ASKED, body("It weighs 4.4 kg.", ("list.md", 1))).usable
    late = judged(ASKED, body("It weighs 4.4 kg.", ("other.md", 1), ("list.md", 2)))
    assert (late.usable, late.first, late.clean) == (True, False, False)
    assert not judged(ASKED, body("It weighs 4.4 kg.", ("list.md", 2), sentences=4)).clean
    wrong = judged(ASKED, body("The deposit is 44.", ("list.md", 2)))
    assert (wrong.right, wrong.missing) == (False, ("4[.,]4", "not deposit"))


def test_a_refusal_is_right_only_where_there_is_no_answer():
    refused = body("The documents do not answer this.", by="none", evidence=[("x.md", 1), ("list.md", 2)])
    verdict = judged(ASKED, refused)
    assert (verdict.refused, verdict.right, verdict.usable, verdict.nearest, verdict.recalled) == (
        True, False, False, True, True,
    )  # fmt: skip
    assert judged(UNKNOWN, refused).right
    assert not judged(UNKNOWN, body("Ada did.", ("list.md", 1))).right
    assert judged(UNKNOWN, body("The excerpts do not say who it was.", by="generate")).right
    allowed = Question("c", "near", "What is the fee?", answerable=False, expect_any=("not offered",))
    assert judged(allowed, body("Group: not offered", ("list.md", 1))).right


def test_citation_marks_dashes_and_case_are_no_differences():
    question = Question("a", "fact", "?", answerable=True, expect_all=("T‑021", r"from 3 \S+ on", "„Ibex“"))
    assert judged(question, body('t-021 From 3 MAY [12] on, "Ibex"')).right


def test_runs_are_counted_by_kind_and_compared_with_an_earlier_one(tmp_path):
    good = Judged(ASKED, judged(ASKED, body("4.4", ("list.md", 2))), "4.4")
    bad = Judged(ASKED, judged(ASKED, body("5", ("list.md", 2))), "5")
    refused = Judged(UNKNOWN, judged(UNKNOWN, body("no", by="none")), "no")
    assert by_kind([good, refused])["total"].usable == by_kind([good, refused])["fact"].clean == 1
    assert by_kind([bad, refused])["total"].false_answers == 0
    earlier = tmp_path / "run.json"
    earlier.write_text(json.dumps(as_json([good, refused], {"mode": "mix"})), encoding="utf-8")
    assert since([bad, refused], earlier).lost == ("a",)
    assert since([good, refused], earlier).lost == since([bad], earlier).gained == ()
    earlier.write_text("[]", encoding="utf-8")
    with pytest.raises(BadInput, match="eval --save"):
        since([good], earlier)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1"),
        ("[]", "no JSON object"),
        ('{"id": "a", "kind": "k", "question": "q"}', "missing: \\['answerable'\\]"),
        ('{"id": "a", "kind": "k", "question": "q", "answerable": true}', "expects nothing"),
        ('{"id": "a", "kind": "k", "question": "q", "answerable": true, "expect_all": ["("]}', "line 1"),
        ('{"id": "a", "kind": "k", "question": "q", "answerable": false, "wrong": 1}', "unknown: \\['wrong'\\]"),
        ("", "0 questions"),
        ('{"id": "a", "kind": "k", "question": "q", "answerable": false}\n' * 2, "line 2: the id a is there twice"),
    ],
)
def test_mistakes_of_a_file_are_named_by_line(tmp_path, line, said):
    path = tmp_path / "questions.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        read_questions(path)
