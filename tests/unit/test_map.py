"""The map of the project says what is there: its paths exist, its table of processes is that of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atoll.local.state import RoleName
from atoll.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_PATH = re.compile(r"`((?:src|gateway|services|web|models|scripts|samples|docs|tests)(?:/[\w.-]+)*)`")


@pytest.mark.parametrize("document", ["architecture.md", "glossary.md"])
def test_every_path_on_the_map_exists(document: str) -> None:
    named = set(_PATH.findall((DOCS / document).read_text(encoding="utf-8")))
    assert len(named) > 15
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def _processes() -> list[list[str]]:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip().strip("`") for cell in line.strip("| \n").split(" | ")]
        for line in text.partition("\n## Processes")[2].partition("\n## ")[0].splitlines()
        if line.startswith("| `")
    ]
    assert all(len(row) == 5 for row in rows)
    return rows


def test_the_table_of_processes_names_every_role_and_no_other() -> None:
    assert sorted(row[0] for row in _processes()) == sorted(RoleName)


def _services() -> set[str]:
    """The services of the Compose file, whose merge tags only Compose itself can read."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return set(
        re.findall(r"^  ([a-z0-9-]+):", text.partition("\nservices:\n")[2].partition("\nnetworks:\n")[0], re.MULTILINE)
    )


def test_services_and_settings_of_the_table_exist() -> None:
    services = _services()
    assert len(services) > 10
    for role, service, section, program, _ in _processes():
        assert service == "-" or service in services, role
        assert section == "-" or section in Settings.model_fields, role
        assert (ROOT / program).is_dir(), role


def test_every_service_folder_is_a_container_of_the_same_name() -> None:
    folders = {path.name for path in (ROOT / "services").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= _services()


def test_every_use_case_folder_stands_on_the_map() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "src" / "atoll").glob("*/__init__.py")}
    assert sorted(name for name in packages - {"prompts"} if f"`src/atoll/{name}`" not in text) == []


def test_every_decision_has_its_line_in_the_index() -> None:
    lines = []
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}]({path.name})")
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    assert [line for line in index.splitlines() if line.startswith("- [")] == lines
