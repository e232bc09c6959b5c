"""What a mirror finds in its folder, and what it concludes from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from atoll.cli.sources import CountedFile
from atoll.cli.sync import scan as scanning
from atoll.cli.sync.changes import Changes
from atoll.cli.sync.known import Known
from atoll.cli.sync.plan import Held, Place, Plan, compare
from atoll.cli.sync.scan import Scan, scan

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "STILL_SECONDS", 0.0)


def write(path: Path, text: str, *, age_seconds: float = 60.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    then = time.time() - age_seconds
    os.utime(path, (then, then))
    return path


def look(root: Path, below: Path | None = None) -> Scan:
    return scan(root, below or root, Known(root.parent / "known" / "hashes.json"))


def planned(
    files: dict[Place, str],
    documents: list[tuple[str, str, str, str]],
    *,
    stays: Callable[[Place], bool] = lambda _: False,
    again: bool = False,
) -> Plan:
    held = [
        Held(f"d{number}", (source, name), sha256, status)
        for number, (source, name, sha256, status) in enumerate(documents)
    ]
    return compare(files, stays, held, again=again)


def test_a_mirror_that_is_in_step_needs_nothing() -> None:
    plan = planned(
        {("a", "x.txt"): ONE, ("", "y.txt"): TWO}, [("a", "x.txt", ONE, "ready"), ("", "y.txt", TWO, "queued")]
    )
    assert (plan.is_done, plan.unchanged, plan.held) == (True, 2, 2)


def test_new_changed_and_gone_files_are_told_apart() -> None:
    plan = planned(
        {("", "new.txt"): ONE, ("a", "same.txt"): TWO, ("a", "changed.txt"): THREE},
        [("a", "same.txt", TWO, "ready"), ("a", "changed.txt", ONE, "ready"), ("a", "gone.txt", THREE, "ready")],
    )
    assert (plan.added, plan.changed, [each.id for each in plan.deleted]) == (
        [("", "new.txt")],
        [("a", "changed.txt")],
        ["d2"],
    )


def test_a_file_with_another_place_moves_its_document_and_a_copy_is_added() -> None:
    documents = [("a", "x.txt", ONE, "ready"), ("a", "y.txt", TWO, "ready"), ("a", "z.txt", THREE, "failed")]
    plan = planned({("b", "x.txt"): ONE, ("", "x2.txt"): ONE, ("a", "y.txt"): TWO, ("b", "z.txt"): THREE}, documents)
    assert [(move.document.id, move.to) for move in plan.moved] == [("d0", ("b", "x.txt"))]
    assert plan.added == [("", "x2.txt"), ("b", "z.txt")]
    assert [each.id for each in plan.deleted] == ["d2"]


def test_two_files_that_change_places_are_changes_and_no_moves() -> None:
    documents = [("", "x.txt", ONE, "ready"), ("", "y.txt", TWO, "ready")]
    plan = planned({("", "x.txt"): TWO, ("", "y.txt"): ONE}, documents)
    assert (plan.changed, plan.moved, plan.deleted) == ([("", "x.txt"), ("", "y.txt")], [], [])


@pytest.mark.parametrize(
    ("states", "is_sent"),
    [
        ({ONE: "failed"}, False),
        ({ONE: "quarantined", TWO: "ready"}, False),
        ({ONE: "cancelled"}, True),
        ({ONE: "ready", TWO: "ready"}, True),
        ({ONE: "ready", TWO: "failed"}, False),
        ({ONE: "processing", TWO: "ready"}, False),
        ({TWO: "failed"}, True),
    ],
)
def test_what_a_document_s_state_asks_for(states: dict[str, str], is_sent: bool) -> None:
    documents = [("", "x.txt", sha256, status) for sha256, status in states.items()]
    assert bool(planned({("", "x.txt"): ONE}, documents).changed) == is_sent


def test_what_could_not_be_read_is_sent_again_when_asked() -> None:
    documents = [("", "x.txt", ONE, "failed")]
    assert [each.id for each in planned({("", "x.txt"): ONE}, documents).misread] == ["d0"]
    assert planned({("", "x.txt"): ONE}, documents, again=True).changed == [("", "x.txt")]


def test_more_than_a_fifth_goes_only_with_a_word() -> None:
    documents = [("", f"{number}.txt", f"{number:064}", "ready") for number in range(10)]
    files = {("", f"{number}.txt"): f"{number:064}" for number in range(8)}
    assert not planned(files, documents).deletes_too_many(None)
    files.pop(("", "7.txt"))
    plan = planned(files, documents)
    assert [plan.deletes_too_many(accepted) for accepted in (None, 2, 3)] == [True, True, False]


def test_files_are_found_by_the_places_that_their_documents_get(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("a.txt", "Bücher/Cafe\u0301.md", "x/y/z.txt", ".git/config", "x/~$plan.docx"):
        write(root / name, name)
    assert sorted(look(root).hashes) == [("", "a.txt"), ("Bücher", "Café.md"), ("x/y", "z.txt")]
    assert sorted(look(root / "x", root).hashes) == [("x/y", "z.txt")]


def test_documents_stay_whose_files_cannot_be_taken_now(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "empty.txt", "")
    write(root / "film.mov", "x")
    (root / "gone.txt").symlink_to(root / "empty.txt")
    found = look(root)
    assert not found.hashes
    assert [found.stays(("", name)) for name in ("empty.txt", "film.mov", "gone.txt")] == [True, True, False]
    assert not any(each.failed for each in found.told)


def test_documents_of_a_folder_that_cannot_be_read_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    write(root / "a.txt", "a")
    write(root / "closed" / "deep" / "b.txt", "b")
    listed = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = look(root)
    assert found.stays(("closed/deep", "b.txt"))
    assert not found.stays(("closed2", "b.txt"))
    assert [each.reason for each in found.told if each.failed] == ["cannot be read: Permission denied"]


def test_a_file_that_changes_while_it_is_read_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "root" / "a.txt", "half")
    read = CountedFile.read

    def grow(file: CountedFile, size: int | None = -1) -> bytes:
        content = read(file, size)
        with path.open("a") as more:
            more.write("more")
        return content

    with monkeypatch.context() as patched:
        patched.setattr(CountedFile, "read", grow)
        found = look(path.parent)
    assert found.stays(("", "a.txt"))
    assert [each.reason for each in found.told] == ["is being written; its turn comes with the next run"]
    assert list(look(path.parent).hashes) == [("", "a.txt")]


def test_unchanged_files_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "root", tmp_path / "known" / "hashes.json"
    write(root / "a.txt", "one")
    monkeypatch.setattr("atoll.cli.sync.known.UNSURE_SECONDS", -1.0)
    known = Known(kept)
    first = scan(root, root, known).hashes
    known.save()
    with monkeypatch.context() as patched:
        patched.setattr(CountedFile, "__init__", lambda *_: pytest.fail("it was read"))
        assert scan(root, root, Known(kept)).hashes == first
    write(root / "a.txt", "two")  # as long as before, and its time could be set back as well
    assert scan(root, root, Known(kept)).hashes != first
    kept.write_text("{")
    assert scan(root, root, Known(kept)).hashes != first


def test_a_file_that_changed_a_moment_ago_is_not_remembered(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one", age_seconds=0)
    known = Known(tmp_path / "known" / "hashes.json")
    known.note(path, path.stat(), ONE)
    known.save()
    assert known.get(path, path.stat()) is None


def test_a_change_in_any_folder_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with Changes(tmp_path, look_seconds=20.0) as changes:
        for name in ("a/b/1.txt", "a/new/2.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
            begun = time.monotonic()
            changes.wait()
            changes.follow()
            assert time.monotonic() - begun < 10
    with Changes(tmp_path, look_seconds=0.05) as quiet:
        quiet.wait()  # returns by itself: not every file system tells of changes
