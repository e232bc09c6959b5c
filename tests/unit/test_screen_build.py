"""How the browser screen is built: what its lock may hold, when it is built anew, and where a carried one is taken."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from scripts import screen
from scripts.wheel_screen import included

from atoll.domain.media import ACCEPTED

ROOT = Path(__file__).parents[2]
LOCK = json.loads((ROOT / "web" / "package-lock.json").read_text())
#: Licences of what is in the built screen or builds it. MPL-2.0 files stay as they are and are part of tools only.
LICENCES = {
    "MIT", "ISC", "Apache-2.0", "Unlicense", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "MPL-2.0", "BlueOak-1.0.0",
    "CC0-1.0", "MIT-0",
}  # fmt: skip


def test_the_lock_pins_by_hash_and_names_no_address() -> None:
    text = (ROOT / "web" / "package-lock.json").read_text()
    assert "://" not in text, "run `python scripts/screen.py npm install`, which takes addresses out"
    packages = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "web" / ".npmrc").read_text().splitlines()


def test_every_package_of_the_screen_has_a_licence_that_can_be_shipped() -> None:
    others = {name: entry.get("license") for name, entry in LOCK["packages"].items() if name}
    assert {name: licence for name, licence in others.items() if licence not in LICENCES} == {}


def test_no_text_becomes_markup_and_none_becomes_a_program() -> None:
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|javascript:"
    )
    sources = [path for path in (ROOT / "web" / "src").rglob("*.ts*") if ".test." not in path.name]
    assert len(sources) > 100
    assert [path.name for path in sources if ways.search(path.read_text())] == []


def test_files_of_every_format_can_be_chosen() -> None:
    text = (ROOT / "web" / "src" / "documents" / "accepted.ts").read_text()
    assert set(re.findall(r"\s(\.\w+)", text.split("`")[1])) == set(ACCEPTED)


def test_the_manual_shows_pictures_that_journeys_make_and_they_are_small() -> None:
    folder = ROOT / "docs" / "pictures"
    shown = set(re.findall(r"\(pictures/([\w-]+)\.png\)", (ROOT / "docs" / "screen.md").read_text()))
    journeys = "".join(path.read_text() for path in (ROOT / "tests" / "screen").glob("*.journey.mjs"))
    made = [re.sub(r"\$\{\w+\}", r"\\w+", name) for name in re.findall(r'picture\(page, ["`]([^"`]+)["`]\)', journeys)]
    assert shown <= {path.stem for path in folder.iterdir()}
    assert [name for name in shown if not any(re.fullmatch(pattern, name) for pattern in made)] == []
    assert sum((folder / f"{name}.png").stat().st_size for name in shown) <= 1_500_000


def test_versions_are_pinned() -> None:
    wanted = LOCK["packages"][""]
    versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with sources of a screen and a Node that notes what it is told."""
    web = tmp_path / "web"
    for folder in screen.SOURCE_FOLDERS:
        (web / folder).mkdir(parents=True)
    for name in screen.SOURCES:
        (web / name).write_text("{}")
    (web / "src" / "main.tsx").write_text("start")
    for name, path in {
        "ROOT": tmp_path, "WEB": web, "DIST": web / "dist", "MODULES": web / "node_modules",
        "NODE": tmp_path / ".state" / "node", "CARRIED": tmp_path / "vendor" / "wheels" / "screen.tar.gz",
    }.items():  # fmt: skip
        monkeypatch.setattr(screen, name, path)
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n'
        'case "$1" in ci) mkdir -p node_modules;; run) mkdir -p dist && echo built > dist/index.html;; esac\n'
    )
    (program.parent / "node").write_text("#!/bin/sh\necho v24.1.0\n")
    for each in program.parent.iterdir():
        each.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return tmp_path


def told(tree: Path) -> list[str]:
    path = tree / "told"
    return path.read_text().splitlines() if path.exists() else []


def test_a_screen_is_built_once_and_again_when_its_sources_change(tree: Path) -> None:
    screen.build()
    assert told(tree) == ["ci --loglevel=error --fetch-retries=1 --omit=dev", "run build --silent"]
    screen.build()
    (tree / "web" / "src" / "main.test.tsx").write_text("a test is no part of a build")
    screen.build()
    assert len(told(tree)) == 2
    (tree / "web" / "src" / "main.tsx").write_text("start anew")
    screen.build()
    assert told(tree)[2:] == ["run build --silent"]


def test_a_carried_screen_of_the_same_sources_needs_no_node(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.pack()
    monkeypatch.setenv("PATH", "/nowhere")
    (tree / "web" / "dist" / "index.html").unlink()
    (tree / "web" / "dist" / screen.MARK).unlink()
    screen.build()
    assert (tree / "web" / "dist" / "index.html").read_text() == "built\n"


def test_a_carried_screen_of_other_sources_is_not_used(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    screen.pack()
    (tree / "web" / "src" / "main.tsx").write_text("start anew")
    screen.build()
    assert "made of other sources" in capsys.readouterr().err
    assert told(tree)[-1] == "run build --silent"


def test_a_damaged_one_is_refused(tree: Path) -> None:
    screen.pack()
    (tree / "web" / "dist" / screen.MARK).unlink()
    screen.CARRIED.write_bytes(screen.CARRIED.read_bytes()[:-4])
    with pytest.raises(screen.Unbuilt, match="carry it here again"):
        screen.build()


def test_one_that_would_write_elsewhere_is_refused(tree: Path) -> None:
    screen.pack()
    (tree / "web" / "dist" / screen.MARK).unlink()
    with tarfile.open(screen.CARRIED, "w:gz") as archive:
        archive.add(tree / "told", "../told")
    digest = hashlib.sha256(screen.CARRIED.read_bytes()).hexdigest()
    screen.CARRIED.with_name("screen.tar.gz.sha256").write_text(f"{digest}  screen.tar.gz\n")
    with pytest.raises(screen.Unbuilt, match="leads out of it"):
        screen.build()


def test_without_any_the_demo_goes_on_and_says_what_is_missing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "v20.1.0", "")

    monkeypatch.setattr(subprocess, "run", away)
    assert screen.main(["build", "--optional"]) == 0
    assert "Node 22 or newer is not in PATH" in capsys.readouterr().err
    assert screen.main(["build"]) == 1


def test_a_wheel_holds_a_screen_of_these_sources_and_no_other(tree: Path) -> None:
    assert included() == {}
    screen.build()
    assert included() == {str(tree / "web" / "dist"): "gateway/gateway/screen"}
    (tree / "web" / "src" / "main.tsx").write_text("start anew")
    assert included() == {}


def test_a_bundle_that_cannot_have_one_goes_on_too(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "npm_command", lambda: (_ for _ in ()).throw(screen.Unbuilt("no Node")))
    assert screen.main(["pack", "--optional"]) == 0
    assert not screen.CARRIED.exists()
    assert screen.main(["pack"]) == 1


def test_the_image_builds_from_what_the_hash_is_made_of() -> None:
    """What .dockerignore keeps out of a build must be no source: the carried screen would be taken for another's."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert [line for line in lines if line.startswith(("web", "!web"))] == ["!web", "web/node_modules", "web/dist"]
    assert "!scripts/screen.py" in lines
    assert "!vendor/wheels" in lines
