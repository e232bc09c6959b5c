"""What is said of documents that only a password opens."""

from __future__ import annotations

from atoll.errors import DocumentEncrypted


def encrypted(what: str, password: str | None) -> DocumentEncrypted:
    """The error of a file that ``password``, or none, does not open."""
    if password is not None:
        return DocumentEncrypted(f"{what} is encrypted, and the password that came with it does not open it")
    return DocumentEncrypted(
        f"{what} is encrypted: upload it again with its password (field `password`, `atoll ingest --password-file`)"
    )
