"""P6 by reading: every statement of the record stores names whose elements it matches, or stands in a short list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from atoll.adapters.neo4j import statements

ADAPTERS = Path(__file__).parents[2] / "src" / "atoll" / "adapters"
CYPHER = sorted(path.stem for path in (ADAPTERS / "neo4j" / "statements").glob("*.cypher"))

#: What narrows a match to one knowledge base or tenant, or to one document or stage by a random uid.
_SCOPES = {"kb", "tenant", "uid", "document"}
_CLAUSE = re.compile(
    r"\b(MATCH|MERGE|CREATE)\s+(.*?)(?=\b(?:OPTIONAL|MATCH|MERGE|CREATE|WHERE|WITH|SET|RETURN|CALL|UNWIND|DELETE|DETACH"
    r"|ON CREATE|ON MATCH)\b|$)",
    re.DOTALL,
)
_NODE = re.compile(r"\(\s*(?P<name>\w*)\s*(?P<label>:[\w|{}]+)?\s*(?:\{(?P<map>[^}]*)\})?\s*\)")
_NAMES = re.compile(r"\bAS (\w+)|\bUNWIND .*? AS (\w+)|\bCALL \(([\w, ]*)\)")

_SQL = re.compile(r"^\s*(?:SELECT|UPDATE|DELETE|INSERT)\b")
#: Tables whose rows belong to somebody.
_OWNED = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(kb|document|batch|stage|chunk|passage|entity|mention|assertion|api_key|audit_event)\b"
)
_SCOPED_SQL = re.compile(
    r"\b(?:kb|tenant|uid|document)\s*(?:=\s*(?:[?:]|chosen)|IN\s*[({])|\b(?:passage|id|entity|a\.id|\{on\})\s*(?:=\s*(?:[?:]|chosen)"
    r"|IN\s*[({])|INTO \w+ \([^)]*\b(?:kb|tenant|document|passage)\b|\{(?:sight\.)?where\}|\{owner\} = \?|\{' AND '\.join\(conditions\)\}"
)

#: Statements that look at more than one tenant on purpose: file and name -> why.
ALLOWED_CYPHER = {
    ("accepting", "tenant_held"): "the tenant whose knowledge base is uploaded to",
    ("accepting", "tenant_quota"): "the tenant whose knowledge base is uploaded to",
    ("accounts", "locate_kb"): "the tenant of the knowledge base",
    ("archive", "accounts"): "a backup is of the whole installation",
    ("archive", "events"): "a backup is of the whole installation",
    ("audit", "unsealed"): "whichever tenants have events to seal",
    ("catalogue", "census"): "the operator's census: counts by status",
    ("catalogue", "count_older"): "how many documents of the installation an older pipeline read, and no more",
    ("ending", "half_deleted"): "one reconciler for the whole store",
    ("fragments", "audit"): "numbers events over all tenants",
    ("index_source", "kbs"): "the index is of the whole installation",
    ("index_source", "known"): "ids of points that nobody is told of",
    ("index_source", "note"): "the model of the whole store's vectors",
    ("index_source", "noted"): "the model of the whole store's vectors",
    ("keys", "bearer"): "a key's random id comes before its tenant is known",
    ("keys", "find_key"): "a key's random id comes before its tenant is known",
    ("keys", "touch_keys"): "the ids of keys that were just checked",
    ("ledger", "lead"): "one reconciler for the whole store",
    ("ledger", "overdue"): "workers serve all tenants",
    ("restoration", "hide_kbs"): "an installation without documents makes room",
    ("restoration", "left"): "all that a broken restoration left",
    ("restoration", "show_kbs"): "all that is restored is shown at once",
    ("restoration", "used"): "whether the whole installation is empty",
    ("restoration", "write_embedding"): "the model of the whole store's vectors",
    ("restoration", "write_events"): "numbers events over all tenants",
    ("restoration", "write_tenants"): "tenants themselves",
    ("sessions", "open"): "a session is found by its random id alone",
    ("sessions", "bound"): "a subject belongs to one tenant",
    ("sessions", "find"): "a session's random id comes before its tenant is known",
    ("sessions", "end"): "a session's random id comes before its tenant is known",
    **dict.fromkeys(
        [("tenants", name) for name in ("ensure_tenant", "create_tenant", "get_tenant", "set_quota", "suspend_tenant")],
        "tenants are told apart by their name or id",
    ),
    ("tenants", "list_tenants"): "the installation's tenants, for its admins",
    ("usage", "asked"): "the tenant that asks",
    ("index_source", "gaps"): "readiness tells which collections are incomplete, and no more than their names",
    ("schema", "name_schema"): "what keeps it to one node",
    ("schema", "raise_version"): "the version of the whole store",
    ("schema", "version"): "the version of the whole store",
}
#: The same of SQLite: file and a piece of the statement -> why.
ALLOWED_SQL = {
    "sqlite/archive.py": {
        "FROM kb WHERE deleted_at IS NULL": "a backup is of the whole installation",
        "SELECT * FROM api_key ORDER BY": "a backup is of the whole installation",
        "SELECT * FROM audit_event WHERE id >": "a backup is of the whole installation",
    },
    "sqlite/audit.py": {"SELECT t.id FROM tenant t WHERE": "whichever tenants have events to seal"},
    "sqlite/catalogue.py": {
        "SELECT status, COUNT(*) AS n FROM document": "the operator's census: counts by status",
        "SELECT COUNT(*) FROM document WHERE visible = 1 AND pipeline <": "how many an older pipeline read, no more",
    },
    "sqlite/ending.py": {"FROM kb WHERE kb.deleted_at > 0": "one reconciler for the whole store"},
    "sqlite/index_source.py": {
        "INSERT INTO embedding": "the model of the whole store's vectors",
        "FROM kb WHERE kb.deleted_at IS NULL": "the index is of the whole installation",
        "SELECT gaps FROM kb": "readiness tells which collections are incomplete, and no more than their names",
    },
    "sqlite/ledger.py": {"SELECT DISTINCT s.document FROM stage s": "workers serve all tenants"},
    "sqlite/restoration.py": {
        "FROM kb WHERE deleted_at IS NULL AND revision > 0": "whether the whole installation is empty",
        "SELECT kb, uid FROM document ORDER BY seq": "all that a broken restoration left",
        "UPDATE kb SET deleted_at = NULL": "all that is restored is shown at once",
    },
}


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module that are no docstrings; what an f-string inserts stands as `{expression}`."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    skipped = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and _has_text(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [
                part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
                for part in node.values
            ]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _has_text(node) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


def unscoped_cypher(text: str) -> list[str]:
    """Return the clauses that begin at no element of a knowledge base, a tenant or an earlier clause."""
    bound = {name for found in _NAMES.findall(text) for names in found for name in names.replace(" ", "").split(",")}
    bound |= {match["name"] for match in re.finditer(r"\((?P<name>\w+)\)", text) if re.search(_CLAUSE, text)}
    labelled = {match["name"] for match in _NODE.finditer(text) if match["label"]}
    wrong = []
    for verb, pattern in _CLAUSE.findall(text):
        for path in re.split(r",\s*(?=\()", pattern):
            nodes = list(_NODE.finditer(path))
            scoped = any(set(re.findall(r"(\w+):", node["map"] or "")) & _SCOPES for node in nodes)
            linked = any(not node["label"] and node["name"] in (bound | labelled) for node in nodes)
            if nodes and not scoped and not linked:
                wrong.append(f"{verb} {path.strip()}")
    return wrong


def unscoped_sql(text: str) -> bool:
    """Whether a statement reads or writes somebody's rows without saying whose."""
    return bool(_SQL.match(text) and _OWNED.search(text) and not _SCOPED_SQL.search(text))


def _is_allowed(name: str, text: str) -> bool:
    return any(piece in text for piece in ALLOWED_SQL.get(name, {}))


def test_every_sql_statement_says_whose_rows_it_means():
    checked, wrong = 0, []
    for path in sorted((ADAPTERS / "sqlite").glob("*.py")):
        for line, text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            checked += bool(_SQL.match(text))
            if unscoped_sql(text) and not _is_allowed(f"sqlite/{path.name}", text):
                wrong.append(f"{path.name}:{line}: {text}")
    assert checked > 40
    assert not wrong, "\n".join(wrong)


def test_every_cypher_statement_says_whose_elements_it_means():
    # Each as it stands in its file: what it takes from the fragments is looked at there.
    wrong = {
        (file, name): found
        for file in CYPHER
        for name, text in statements.texts_of(file).items()
        if (found := unscoped_cypher(text))
    }
    assert {each: found for each, found in wrong.items() if each not in ALLOWED_CYPHER} == {}
    assert set(ALLOWED_CYPHER) - set(wrong) == set(), "allowed without need"


def test_cypher_stands_in_files_alone():
    in_code = {
        path.name: text
        for path in (ADAPTERS / "neo4j").glob("*.py")
        for _, text in _texts(ast.parse(path.read_text(encoding="utf-8")))
        if _CLAUSE.search(text)
    }
    assert in_code == {
        "restoration.py": "MATCH (n:{label}) WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS removed"
    }


def test_every_cypher_statement_is_whole_and_used():
    used = "".join(path.read_text(encoding="utf-8") for path in (ADAPTERS / "neo4j").glob("*.py"))
    for file in CYPHER:
        for name in statements.texts_of(file):
            assert "<<" not in statements.load_one(file, name)
            asked = f"<<{name}>>" if file == "fragments" else f'"{name}"'
            assert asked in (used if file != "fragments" else "".join(map(_everything, CYPHER))), f"{file}: {name}"


def test_what_is_allowed_is_still_there():
    for name, pieces in ALLOWED_SQL.items():
        texts = [text for _, text in _texts(ast.parse((ADAPTERS / name).read_text(encoding="utf-8")))]
        assert not [piece for piece in pieces if not any(piece in text for text in texts)], name


def _everything(file: str) -> str:
    return "".join(statements.texts_of(file).values())


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("MATCH (d:Document {kb: $kb}) RETURN d", True),
        ("MATCH (d:Document) RETURN d", False),
        ("MATCH (d:Document {name: $name}) RETURN d", False),
        ("MATCH (d:Document {kb: $kb}) MATCH (e:Entity {key: $key}) RETURN d", False),
        ("MATCH (d:Document {uid: $uid})<-[:OF]-(p:Passage) RETURN p", True),
        ("WITH * MATCH (p)-[:MENTIONS]->(e:Entity) RETURN e", True),
        ("MATCH (:Passage)-[:MENTIONS]->(e:Entity) RETURN e", False),
        ("UNWIND $ids AS id MATCH (e:Entity {id: id}) RETURN e", False),
        ("CREATE (e:Entity {key: $key})", False),
    ],
)
def test_the_check_knows_cypher(text, good):
    assert bool(unscoped_cypher(text)) is not good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("SELECT * FROM document WHERE kb = ?", True),
        ("SELECT * FROM document d WHERE d.name = ?", False),
        ("UPDATE entity SET df = 0", False),
        ("DELETE FROM stage WHERE document = ?", True),
        ("SELECT 1 FROM tenant WHERE name = ?", True),
        ("INSERT INTO entity (id, key) VALUES (?, ?)", False),
    ],
)
def test_the_check_knows_sql(text, good):
    assert unscoped_sql(text) is not good
