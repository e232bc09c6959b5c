"""The `atoll` command."""

from __future__ import annotations

import importlib
import sys

import click

from atoll.cli.render import plain
from atoll.errors import AtollError

#: Command -> where it lives. Loaded when it is asked for, so that no command waits for another's imports.
_COMMANDS = {
    "init": "atoll.cli.stack:init",
    "up": "atoll.cli.stack:up",
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
    "graph": "atoll.cli.graph:graph",
    "reindex": "atoll.cli.reindex:reindex",
    "backup": "atoll.cli.backup:backup",
    "models": "atoll.cli.models:models",
    "tokenizers": "atoll.cli.tokenizers:tokenizers",
    "bundle": "atoll.cli.bundle:bundle",
    "preflight": "atoll.cli.preflight:preflight",
    "doctor": "atoll.cli.doctor:doctor",
}


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
    """Run the command line; errors that Atoll raises on purpose become one line and exit code 1."""
    try:
        cli()
    except AtollError as error:
        click.echo(f"atoll: {plain(error.message)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
