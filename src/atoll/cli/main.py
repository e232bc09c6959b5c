"""The `atoll` command."""

from __future__ import annotations

import errno
import importlib
import json
import sys
from typing import NoReturn

import click

from atoll.cli.render import plain, program
from atoll.errors import AtollError, StorageFull

#: Command -> where it lives. Loaded when it is asked for, so that no command waits for another's imports.
_COMMANDS = {
    "init": "atoll.cli.stack:init",
    "up": "atoll.cli.stack:up",
    "open": "atoll.cli.open:open_screen",
    "down": "atoll.cli.stack:down",
    "status": "atoll.cli.stack:status",
    "logs": "atoll.cli.stack:logs",
    "ingest": "atoll.cli.ingest:ingest",
    "ask": "atoll.cli.ask:ask",
    "search": "atoll.cli.ask:search",
    "page": "atoll.cli.page:page",
    "documents": "atoll.cli.documents:documents",
    "kb": "atoll.cli.kb:kb",
    "keys": "atoll.cli.keys:keys",
    "tenants": "atoll.cli.tenants:tenants",
    "usage": "atoll.cli.usage:usage",
    "audit": "atoll.cli.audit:audit",
    "events": "atoll.cli.events:events",
    "batch": "atoll.cli.events:batch",
    "graph": "atoll.cli.graph:graph",
    "reindex": "atoll.cli.reindex:reindex",
    "backup": "atoll.cli.backup:backup",
    "models": "atoll.cli.models:models",
    "tokenizers": "atoll.cli.tokenizers:tokenizers",
    "bundle": "atoll.cli.bundle:bundle",
    "preflight": "atoll.cli.preflight:preflight",
    "doctor": "atoll.cli.doctor:doctor",
    "support-bundle": "atoll.cli.support_bundle:support_bundle",
    "eval": "atoll.cli.evaluate:evaluate",
    "mcp": "atoll.cli.mcp:mcp",
}

_SPACE_EXIT = 6


class _Commands(click.Group):
    """A group that lists its commands in the order above and imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="atoll", prog_name="atoll")
def cli() -> None:
    """Ask your documents, with every sentence cited, on a machine that needs no network.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong signature, 4 a checksum does not match, 6 no space,
    7 preflight.
    """


def main() -> None:
    """Run the command line.

    Errors that Atoll raises on purpose, and files that cannot be read or written, become one line on stderr and, where
    the command was to print JSON, a problem document on stdout.
    """
    try:
        cli()
    except AtollError as error:
        document = getattr(error, "document", None) or {"type": f"urn:atoll:problem:{error.type}"}
        _fail(error.message, document, _SPACE_EXIT if isinstance(error, StorageFull) else 1)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            said = (
                f"no space left on the disk{f' of {error.filename}' if error.filename else ''}: free some and try again"
            )
            _fail(said, {"type": "urn:atoll:problem:StorageFull"}, _SPACE_EXIT)
        if error.filename is None:
            raise
        said = f"{error.filename}: {error.strerror}"
        if isinstance(error, PermissionError):
            said += "; run the command as the user that it belongs to, or set ATOLL_DATA_DIR to a directory of your own"
        _fail(said, {"type": "urn:atoll:problem:OSError"}, 1)


def _fail(message: str, document: dict[str, object], code: int) -> NoReturn:
    message = message.replace("`atoll ", f"`{program()} ")
    if "--json" in sys.argv[1:]:
        click.echo(json.dumps({"detail": message, **document}, ensure_ascii=False))
    click.echo(f"atoll: {plain(message)}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
