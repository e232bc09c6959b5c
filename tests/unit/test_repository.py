"""Rules about the repository itself: locks, generated files, what documents say, what no file may hold."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from scripts import render_env

from atoll.cli.main import cli
from atoll.settings import PREFIX, Settings, knobs

ROOT = Path(__file__).parents[2]
SHIPPED = ("src", "gateway", "services")
DOCUMENTS = sorted(
    path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").glob("*.md")]
)
LOCKS = sorted(ROOT.glob("requirements-*.lock"))
#: The layers of the two model servers: nothing else may bring in what loads models.
MODEL_LAYERS = {"requirements-embeddings.lock", "requirements-colpali.lock"}
MODEL_PACKAGES = {"torch", "torchvision", "transformers", "sentence-transformers"}
FORBIDDEN_NAMES = {
    "utils", "util", "helper", "helpers", "manager", "base", "impl", "common", "misc", "new", "v2", "data", "info",
    "process", "handle",
}  # fmt: skip
GENERATED = {
    ".git",
    ".venv",
    ".venv-clients",
    ".venv-colpali",
    ".state",
    ".atoll",
    "node_modules",
    "dist",
    "__pycache__",
    ".hypothesis",
}


@cache
def _repository() -> tuple[tuple[Path, str], ...]:
    """Every text file, read once for all rules."""
    found = []
    for folder, below, names in os.walk(ROOT):
        inside = Path(folder).relative_to(ROOT).parts
        below[:] = sorted(name for name in below if name not in GENERATED and not name.endswith("_cache"))
        if inside[:1] == ("models",) and len(inside) > 1:
            continue  # weights
        for path in sorted(Path(folder) / name for name in names if name not in GENERATED):
            try:
                found.append((path, path.read_text(encoding="utf-8")))
            except (UnicodeDecodeError, FileNotFoundError):
                continue
    return tuple(found)


def _texts(*folders: str) -> Iterator[tuple[Path, str]]:
    """Yield every text file of the repository, or of some folders of it."""
    for path, text in _repository():
        if not folders or any(path.is_relative_to(ROOT / folder) for folder in folders):
            yield path, text


@cache
def _parsed(path: Path, text: str) -> ast.Module:
    return ast.parse(text)


def _modules(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for path, text in _texts(*folders):
        if path.suffix == ".py":
            yield path, _parsed(path, text)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "atoll" else (module,)


def _is_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


# --- locks ------------------------------------------------------------------------------------------------------------


def _packages(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==", lock.read_text(), re.MULTILINE))


def test_there_is_a_lock_for_each_layer() -> None:
    assert {lock.name.removeprefix("requirements-").removesuffix(".lock") for lock in LOCKS} == {
        "core", "nlp", "embeddings", "colpali", "dev",
    }  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    packages = _packages(lock)
    assert packages
    assert len(re.findall(r"==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text)) == len(packages)
    assert not re.findall(r"://|--(?:extra-)?index|--find-links|--trusted-host| @ ", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_only_model_servers_get_what_loads_models(lock: Path) -> None:
    """torch itself is in no lock: the right build of it differs between machines."""
    packages = _packages(lock)
    assert "torch" not in packages
    assert not [name for name in packages if name.startswith(("nvidia-", "cuda-", "triton"))]
    if lock.name not in MODEL_LAYERS:
        assert not packages & MODEL_PACKAGES


# --- settings ---------------------------------------------------------------------------------------------------------


def test_the_example_of_all_settings_is_up_to_date() -> None:
    assert render_env.TARGET.read_text() == render_env.render(), "run `make env`"


def test_the_example_leaves_every_setting_at_its_default() -> None:
    lines = render_env.render().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    assert sum(line.startswith(f"#{PREFIX}") for line in lines) == len(list(knobs(Settings)))


def test_every_setting_is_described_in_a_sentence() -> None:
    described = [(knob.name, knob.description) for knob in knobs(Settings)]
    assert len({name for name, _ in described}) == len(described) > 50
    assert [name for name, text in described if not re.fullmatch(r"[A-Za-z].*\.", text)] == []


def test_the_environment_is_read_in_one_module() -> None:
    """Elsewhere it may only be emptied or filled: for the libraries that a role loads next."""
    readers = set()
    for path, text in _texts(*SHIPPED):
        if path.suffix != ".py" or not ("environ" in text or "getenv" in text):
            continue
        tree = _parsed(path, text)
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            parent = parents.get(node)
            changed = isinstance(parent, ast.Attribute) and parent.attr in {"clear", "update"}
            if _is_environment(node) and not changed:
                readers.add(str(path.relative_to(ROOT)))
    assert readers == {"src/atoll/settings/environment.py"}


# --- code -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["domain", "ops"])
def test_the_innermost_packages_stand_on_the_standard_library(package: str) -> None:
    """numpy is the domain's one other word: a vector is an array; files are written in one way by all."""
    allowed = {f"atoll.{package}", *(("atoll.errors", "numpy") if package == "domain" else ("atoll.files",))}
    foreign = {
        f"{path.name}: {name}"
        for path, tree in _modules(f"src/atoll/{package}")
        for name in _imports(tree)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(name == each or name.startswith(f"{each}.") for each in allowed)
    }
    assert not foreign


def test_names_say_what_they_are() -> None:
    vague = []
    for path, tree in _modules(*SHIPPED, "scripts", "benchmarks"):
        definitions = (
            node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        )
        vague += [f"{path}: {name}" for name in (path.stem, *definitions) if name.lower() in FORBIDDEN_NAMES]
    assert not vague


def test_every_module_postpones_its_annotations() -> None:
    eager = [
        str(path)
        for path, tree in _modules(*SHIPPED, "scripts", "benchmarks", "tests")
        if tree.body
        and not path.name.startswith("__init__")
        and not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    ]
    assert not eager


FILE_LINES = 300
FUNCTION_LINES = 60


def test_a_file_fits_a_readers_head() -> None:
    long = {
        str(path.relative_to(ROOT))
        for path, text in _texts(*SHIPPED, "scripts", "benchmarks")
        if path.suffix in {".py", ".sh", ".cypher", ".sql"} and len(text.splitlines()) > FILE_LINES
    }
    assert not long, f"more than {FILE_LINES} lines: split it by the questions it answers"


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in _modules(*SHIPPED, "scripts", "benchmarks")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, f"more than {FUNCTION_LINES} lines"


#: What a service could be told to fetch from; put together here so that this file does not hold them.
_OUTSIDE = "|".join(
    re.escape(".".join(labels))
    for labels in (
        ("cdn",), ("unpkg", "com"), ("jsdelivr", "net"), ("googleapis", "com"), ("gstatic", "com"), ("cloudflare", "com"),
        ("huggingface", "co"), ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("docker", "io"),
        ("pytorch", "org"),
    )
)  # fmt: skip
_ADDRESS = re.compile(rf"(?:https?:)?//(?:[a-z0-9-]+\.)*(?:{_OUTSIDE})\b", re.IGNORECASE)
_MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w+")


def test_nothing_that_is_shipped_points_outside() -> None:
    """P1: no address of a content network, registry or hub; namespaces of formats are names, not addresses."""
    found = [f"{path}: {match[0]}" for path, text in _texts(*SHIPPED) for match in _ADDRESS.finditer(text)]
    assert not found


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    found = [f"{path}: {match[0]}" for path, text in _texts() for match in _MACHINE.finditer(text)]
    assert not found


@pytest.mark.parametrize(
    "text", ["src=//" + "unpkg.com/x.js", "https://cdn." + "jsdelivr.net/npm/x", "https://" + "pypi" + ".org/simple"]
)
def test_the_search_for_addresses_would_find_one(text: str) -> None:
    assert _ADDRESS.search(text)


# --- documents --------------------------------------------------------------------------------------------------------


def _fenced(text: str) -> Iterator[str]:
    """Yield the command lines of the shell blocks of a Markdown text, continued lines joined."""
    for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.removeprefix("$ ").partition(" #")[0].strip()


def _commands() -> Iterator[tuple[str, str]]:
    """Yield (document, command) for each `make` and `atoll` line of the documents."""
    for path in DOCUMENTS:
        for line in _fenced(path.read_text(encoding="utf-8")):
            for found in re.finditer(r"(?:^|[\s|(;&])((?:\S*/)?(?:make|atoll)\s[^|;&)]+)", line):
                yield path.name, found[1].strip()


def test_every_command_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown, seen = [], 0
    for document, command in _commands():
        program, *words = command.split()
        seen += 1
        known = targets if program.endswith("make") else set(cli.list_commands(None))  # type: ignore[arg-type]
        verbs = [word for word in words if not word.startswith("-") and "=" not in word][
            : None if known is targets else 1
        ]
        unknown += [f"{document}: {command}" for verb in verbs if verb not in known]
    assert seen >= 10
    assert not unknown


def test_every_option_of_the_documents_exists() -> None:
    unknown = []
    for document, command in _commands():
        program, *words = command.split()
        if not program.endswith("atoll"):
            continue
        node = cli
        while words and hasattr(node, "get_command") and not words[0].startswith("-"):
            node = node.get_command(None, words.pop(0))  # type: ignore[arg-type, assignment]
        options = {option for parameter in node.params for option in parameter.opts} | {"--help", "--version"}
        unknown += [f"{document}: {command}" for word in words if word.startswith("--") and word not in options]
    assert not unknown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_settings_that_documents_name_exist() -> None:
    known = {knob.name for knob in knobs(Settings)}
    named = {
        (path.name, name)
        for path in DOCUMENTS
        for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert {(path, name) for path, name in named if name not in known and not name.endswith("_")} == set()


def test_decisions_are_numbered_and_have_their_three_parts() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        headings = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


@pytest.mark.parametrize("store", ["sqlite", "neo4j"])
def test_migrations_of_a_record_store_are_numbered_without_a_gap(store: str) -> None:
    """The number is the version of the schema: two files of one number would run in an order that nobody chose."""
    folder = ROOT / "src" / "atoll" / "adapters" / store / "migrations"
    numbers = sorted(int(path.name[:4]) for path in folder.iterdir() if path.name[:4].isdigit())
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_licence_is_there_and_the_package_names_it() -> None:
    assert "Apache License\n                           Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()


def test_make_lists_its_verbs_with_a_text_each() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:")).split()[1:]
    described = re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE)
    assert sorted(phony) == sorted(described)


def test_every_package_of_the_distribution_can_be_imported() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    packages = re.findall(r'^    "((?:src|gateway|services)/[\w/]+)",$', text, re.MULTILINE)
    assert len(packages) >= 5
    for package in packages:
        assert find_spec(Path(package).name) is not None, package
