"""A supervisor over stand-in roles: `stand_in_stack.py SPEC`, where SPEC is JSON of `StandInStack`. Run by path."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from atoll import logs
from atoll.errors import StartRefused
from atoll.local.probes import http_answer
from atoll.local.roles import Elsewhere, Patience, Role, Stack
from atoll.local.state import RoleState
from atoll.local.supervisor import Supervisor, only_one

ROLE = Path(__file__).with_name("stand_in_role.py")


def stack(spec: dict) -> Stack:
    folder = Path(spec["folder"])
    roles = tuple(
        Role(
            name=role["name"],
            command=(
                sys.executable,
                str(ROLE),
                "--port",
                str(role["port"]),
                "--starts",
                str(folder / f"{role['name']}.starts"),
                *role.get("options", []),
            ),
            environment={"STAND_IN": role["name"]},
            probe=http_answer(f"http://127.0.0.1:{role['port']}/"),
            after=frozenset(role.get("after", [])),
            address=f"http://127.0.0.1:{role['port']}",
            grace_seconds=1.0,
            patience=Patience(**role.get("patience", {})),
        )
        for role in spec["roles"]
    )
    return Stack(
        address=roles[-1].address or "",
        folder=folder,
        run_dir=folder / "run",
        logs_dir=folder / "logs",
        roles=roles,
        elsewhere=(Elsewhere("pages", RoleState.NOT_CONFIGURED), Elsewhere("chat", RoleState.NOT_CONFIGURED)),
    )


def main() -> int:
    spec = json.loads(Path(sys.argv[1]).read_text())
    logs.configure("INFO")
    try:
        with only_one(Path(spec["folder"]) / "run"):
            Supervisor(stack(spec)).run()
    except StartRefused as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
