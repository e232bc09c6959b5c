"""preflight: whether the container stack can be started here."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from atoll.cli import options, render
from atoll.ops import preflight as checks

_FAILED_EXIT = 7
_MODEL_DIRS = ("ATOLL_EMBEDDINGS__MODEL_DIR", "ATOLL_PAGES__MODEL_DIR")


@click.command()
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    type=click.Choice(sorted(checks.ACCEPTABLE)),
    help="Go on in spite of it; the gateway writes that to the audit log at its next start.",
)
@options.as_json
def preflight(accepted: tuple[str, ...], as_json: bool) -> None:
    """Check this machine before `docker compose up`: every failing line, not only the first.

    Run it where docker-compose.yml and .env are. Exit codes: 0 go ahead, 7 something is in the way.
    """
    lines = checks.run(_site(frozenset(accepted)))
    if accepted:
        checks.remember(Path(".env"), accepted)
    failed = [line for line in lines if line.failed]
    if as_json:
        render.as_json({"ready": not failed, "checks": [{**asdict(line), "failed": line.failed} for line in lines]})
    else:
        for line in lines:
            verdict = "FAILED" if line.failed else "accepted" if line.accepted else "ok"
            click.echo(f"{line.name:<8} {verdict:<8} {render.plain(line.reason or '')}".rstrip())
    sys.exit(_FAILED_EXIT if failed else 0)


def _site(accepted: frozenset[str]) -> checks.Site:
    from atoll import settings

    given = settings.of_compose(Path(".env"))
    # Before `atoll init --compose` has written .env, the profile is the one that it would choose.
    models_dir = Path(given["ATOLL_COMPOSE__MODELS_DIR"])
    chosen = "cpu" if models_dir.is_dir() and any(models_dir.rglob("*.gguf")) else "extract"
    profiles = set(given.get("COMPOSE_PROFILES", chosen).split(","))
    return checks.Site(
        profile=next((name for name in ("gpu", "cpu") if name in profiles), "extract"),
        bind=given["ATOLL_EDGE__BIND"],
        port=int(given["ATOLL_GATEWAY__PORT"]),
        models_dir=models_dir,
        secrets_dir=Path(given["ATOLL_COMPOSE__SECRETS_DIR"]),
        chat_model_file=given.get("ATOLL_CHAT__MODEL_FILE", ""),
        model_dirs={name: given[name] for name in _MODEL_DIRS if name in given},
        accepted=accepted,
    )
