"""Write what an installation of commit 3eaac8c leaves on a disk, for the upgrade test.

    python tests/data/upgrade/make.py TREE tests/data/upgrade/3eaac8c.tar.xz

TREE is a checkout of that commit (`git worktree add TREE 3eaac8c`); the interpreter has its dependencies. The commit's
own programs do all the work: its local stack is started, fed over its API and its command line, stopped, and one more
document is taken half-way through its journey by its own pipeline. OUT holds `data/` (the data directory), `backup/`
(taken by its `atoll backup create`) and `facts.json` (what the test expects to find).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import httpx
from reportlab.pdfgen.canvas import Canvas

ROLES = ("GATEWAY", "QUEUE", "VECTORS", "EMBEDDINGS", "PAGES")
PACKAGES = ("src", "gateway", "services/ingestion", "services/parser", "services/embeddings", "services/colpali")

PLAN = (
    "# Harbour plan\n\nAda Berg leads the work at Osk Head. The crane lifts {tons} tons.\n\n"
    "- first the quay\n- then the mole\n"
)
STAFF = "Staff of Osk Head\n\nAda Berg, keeper. Olof Strand, engineer.\n\nAda Berg lives at the pier.\n"
NOTES = "<html><body><h1>Notes</h1><p>Olof Strand saw the lantern of Osk Head from the ferry.</p></body></html>"
LATIN = "Die Brücke über den Fluß wird geprüft.\n".encode("latin-1")


def main() -> int:
    """Write the archive; return the exit code."""
    tree, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    if not (tree / "src/atoll/settings.py").exists():
        sys.stderr.write(f"{tree} is no checkout of 3eaac8c\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        place = Place(tree, Path(folder))
        facts = place.live()
        place.read_half(facts)
        (Path(folder) / "facts.json").write_text(json.dumps(facts, indent=2, sort_keys=True))
        for litter in ("logs", "run"):
            shutil.rmtree(place.data / litter, ignore_errors=True)
        with tarfile.open(out, "w:xz", preset=9) as archive:
            for name in ("data", "backup", "facts.json"):
                archive.add(Path(folder) / name, arcname=name, filter=_plain)
    return 0


class Place:
    """A data directory that the commit's programs work in."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self._folder = folder
        self.data = folder / "data"
        ports = dict(zip(ROLES, _free_ports(len(ROLES)), strict=True))
        self._address = f"http://127.0.0.1:{ports['GATEWAY']}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(str(tree / package) for package in PACKAGES),
            "ATOLL_DATA_DIR": str(self.data),
            **{f"ATOLL_{role}__PORT": str(port) for role, port in ports.items()},
        }

    def live(self) -> dict[str, Any]:
        """Start the stack, use it, take a backup, stop it; return the facts."""
        self._atoll("up", "--local", "--timeout", "170")
        try:
            facts = self._used()
            self._atoll("backup", "create", "--output", str(self._folder / "backup"))
        finally:
            self._atoll("down")
        return facts

    def read_half(self, facts: dict[str, Any]) -> None:
        """Take one more document into stage store by the commit's own pipeline, and leave it there."""
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("half_read.py"))],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        facts["half"] = json.loads(done.stdout)

    def _used(self) -> dict[str, Any]:
        self._atoll("kb", "create", "other", "--language", "de")
        self._ingest("plan.md", PLAN.format(tons=3).encode())
        self._ingest("plan.md", PLAN.format(tons=5).encode(), "--replace")
        self._ingest("staff.txt", STAFF.encode(), "--label", "staff", "--metadata", "year=2024")
        self._ingest("notes.html", NOTES.encode())
        self._ingest("bruecke.txt", LATIN, "--kb", "other")
        self._ingest("empty-page.pdf", _pdf())
        gone = self._ingest("gone.txt", b"Cleo Lind is nobody's business.")
        self._atoll("documents", "delete", gone)
        keys = {
            "owner": (self.data / "owner.key").read_text().strip(),
            "reader": self._key("reader", "public"),
            "staff": self._key("reader", "staff"),
            "revoked": self._key("editor", None),
        }
        self._atoll("keys", "revoke", keys["revoked"].split("_")[1])
        listed = self._get("/v1/kbs/default/documents?limit=100", keys["owner"])["documents"]
        audit = self._get("/v1/audit", keys["owner"])["events"]
        return {
            "keys": keys,
            "documents": {
                each["name"]: {
                    "id": each["id"],
                    "version": each["version"],
                    "passages": each["passages"],
                    "labels": each["labels"],
                }
                for each in listed
            },
            "audit": len(audit),
            "revision": self._get("/v1/kbs/default", keys["owner"])["revision"],
        }

    def _ingest(self, name: str, content: bytes, *options: str) -> str:
        path = self._folder / name
        path.write_bytes(content)
        body = json.loads(self._atoll("ingest", str(path), "--json", *options))
        identity: str = body["documents"][0]["id"]
        return identity

    def _key(self, role: str, label: str | None) -> str:
        options = [] if label is None else ["--label", label]
        secret: str = json.loads(self._atoll("keys", "create", role, "--role", role, *options, "--json"))["secret"]
        return secret

    def _get(self, path: str, key: str) -> Any:
        return httpx.get(self._address + path, headers={"Authorization": f"Bearer {key}"}, timeout=30).json()

    def _atoll(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "atoll.cli.main", *words], env=self._environment, capture_output=True, text=True,
            check=False, cwd=self._folder,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"atoll {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout


def _pdf() -> bytes:
    path = Path(tempfile.mkdtemp()) / "page.pdf"
    canvas = Canvas(str(path), invariant=True)
    canvas.drawString(72, 720, "The lighthouse of Osk Head was built by Cleo Lind.")
    canvas.showPage()
    canvas.rect(72, 500, 200, 100)
    canvas.showPage()
    canvas.save()
    return path.read_bytes()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out sockets and locks, and whose the files were."""
    if not (member.isreg() or member.isdir()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    sys.exit(main())
