"""`atoll init --compose`: what the container stack needs on the host before it starts; no container runs meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from atoll import files
from atoll.access import keys
from atoll.errors import BadInput
from atoll.ops import stack_secrets
from atoll.settings import Settings

_DAYS = "825"
_ENV = """\
# Written by `atoll init --compose`; read by docker compose. .env.example lists every setting. No secret belongs here.
# Profile: cpu (llama.cpp), gpu (vLLM and CUDA) or extract (no chat model).
COMPOSE_PROFILES={profile}
{chat}# missing, or never on a machine without a registry.
ATOLL_PULL_POLICY={pull}
"""


def prepare(settings: Settings, *, offline: bool, tls_names: tuple[str, ...]) -> dict[str, object]:
    """Write the secrets folder, the operator's copy of the owner key, .env and, if asked for, a site's certificate.

    What exists is kept. The owner key of this data directory, if it has one, becomes the stack's as well.

    Raises:
        BadInput: `openssl` failed or is missing.
    """
    folder, own = settings.compose.secrets_dir, settings.owner_key_path
    text = own.read_text(encoding="utf-8").strip() if own.exists() else keys.fresh()
    written = stack_secrets.write(folder, owner_key=text)
    if not own.exists():
        from atoll.bootstrap.secret_files import write_secret

        own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(own, (folder / "owner_key").read_text(encoding="utf-8").strip())
    if tls_names:
        _certificate(folder / stack_secrets.TLS, tls_names)
    environment = Path(".env")
    if not environment.exists():
        files.write(environment, _defaults(settings.compose.models_dir, offline=offline).encode())
    return {"secrets_dir": str(folder.absolute()), "written": list(written), "owner_key": str(own.absolute())}


def _defaults(models: Path, *, offline: bool) -> str:
    """Return .env's text: the smallest chat model that is there, or the profile that needs none."""
    found = sorted(models.rglob("*.gguf"), key=lambda path: path.stat().st_size) if models.is_dir() else []
    chat = f"ATOLL_CHAT__MODEL_FILE={found[0].relative_to(models)}\n" if found else ""
    return _ENV.format(profile="cpu" if found else "extract", chat=chat, pull="never" if offline else "missing")


def _certificate(folder: Path, names: tuple[str, ...]) -> None:
    """Make the site's own authority, once, and a certificate for ``names`` under it."""
    authority, authority_key = folder.parent / "site-ca.crt", folder.parent / "site-ca.key"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    if not authority.exists():
        _openssl(
            "req", "-x509", *curve, "-keyout", authority_key, "-out", authority, "-days", "3650",
            "-subj", "/CN=Atoll site CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        authority_key.chmod(0o600)
    listed = ",".join(f"{'IP' if name.replace('.', '').isdigit() or ':' in name else 'DNS'}:{name}" for name in names)
    _openssl(
        "req", "-x509", *curve, "-CA", authority, "-CAkey", authority_key,
        "-keyout", folder / "edge.key", "-out", folder / "edge.crt", "-days", _DAYS,
        "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={listed}",
        "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
    )  # fmt: skip
    for file in ("edge.key", "edge.crt"):
        (folder / file).chmod(stack_secrets.FILE_MODE)


def _openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603, S607
    except FileNotFoundError as error:
        raise BadInput("openssl is not installed; install it, or bring a certificate of your own") from error
    if done.returncode != 0:
        raise BadInput(f"openssl refused: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def show(body: dict[str, object]) -> None:
    """Print what was made."""
    click.echo(f"secrets         {body['secrets_dir']}")
    click.echo(f"owner key       {body['owner_key']}")
    click.echo("next            docker compose up --wait")
