"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from atoll.errors import BadInput

as_json = click.option("--json", "as_json", is_flag=True, help="Print the API's body.")
kb = click.option("--kb", default="default", show_default=True, metavar="NAME", help="The knowledge base.")

password_file = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its first line opens files that are encrypted.",
)


class _Pair(click.ParamType[tuple[str, Any]]):
    """``name=value``; the value is JSON if it can be read as such, else text."""

    name = "NAME=VALUE"

    def convert(
        self, value: str | tuple[str, Any], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """Return the pair."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text


#: The type of NAME=VALUE options.
PAIR = _Pair()


def first_line(file: Path | None) -> str | None:
    """Return the first line of a file that holds a password, None without a file.

    Raises:
        BadInput: it is empty.
    """
    if file is None:
        return None
    with file.open(encoding="utf-8") as lines:
        password = lines.readline().rstrip("\r\n")
    if not password:
        raise BadInput(f"{file} holds no password in its first line")
    return password
