"""Passwords beside the files of their documents, each under a key that lies in a file of its own.

Whoever copies a document's folder has no password: neither has a backup, which takes named files only. The scheme is
encrypt-then-MAC: HMAC-SHA-256 in counter mode under a random nonce, then HMAC-SHA-256 over place, nonce and text, with
a key each. All texts have one length, so that none tells how long its password is.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from atoll import files
from atoll.adapters.full_disk import translate_errors
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.passwords import PASSWORD_BYTES
from atoll.errors import NotFound

_KEY_FILE = ".password-key"
_FILE = "password"
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES, _LENGTH_BYTES = 32, 16, 32, 2
_PLAIN_BYTES = _LENGTH_BYTES + PASSWORD_BYTES


class FilePasswords:
    """Port ``Passwords`` in the folders of `atoll.adapters.file_blobs.FileBlobs`.

    Args:
        root: the folder of all documents.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def keep(self, kb: KbUid, document: DocumentUid, password: str) -> None:
        """Write the password into the document's folder."""
        await asyncio.to_thread(self._keep, kb, document, password)

    async def get(self, kb: KbUid, document: DocumentUid) -> str | None:
        """Read what ``keep`` wrote."""
        return await asyncio.to_thread(self._get, kb, document)

    async def forget(self, kb: KbUid, document: DocumentUid) -> None:
        """Remove the file."""
        await asyncio.to_thread(self._path(kb, document).unlink, missing_ok=True)

    def _keep(self, kb: KbUid, document: DocumentUid, password: str) -> None:
        content = password.encode()
        plain = (len(content).to_bytes(_LENGTH_BYTES) + content).ljust(_PLAIN_BYTES, b"\0")
        with translate_errors():
            nonce, key = secrets.token_bytes(_NONCE_BYTES), self._made_key()
            text = nonce + _masked(key, nonce, plain)
            try:
                sealed = text + _tag(key, kb, document, text)
                files.write(self._path(kb, document), sealed, mode=files.PRIVATE)
            except FileNotFoundError as error:
                raise NotFound("the document was removed") from error

    def _get(self, kb: KbUid, document: DocumentUid) -> str | None:
        try:
            content, key = self._path(kb, document).read_bytes(), self._key_path.read_bytes()
        except FileNotFoundError:
            return None
        text, tag = content[:-_TAG_BYTES], content[-_TAG_BYTES:]
        if not hmac.compare_digest(_tag(key, kb, document, text), tag):
            return None
        plain = _masked(key, text[:_NONCE_BYTES], text[_NONCE_BYTES:])
        length = int.from_bytes(plain[:_LENGTH_BYTES])
        return plain[_LENGTH_BYTES : _LENGTH_BYTES + length].decode()

    @property
    def _key_path(self) -> Path:
        return self._root / _KEY_FILE

    def _made_key(self) -> bytes:
        """The key of this installation; of two processes that make one, the first is right."""
        with suppress(FileNotFoundError):
            return self._key_path.read_bytes()
        with files.draft(self._key_path) as part:
            files.write(part, secrets.token_bytes(_KEY_BYTES), mode=files.PRIVATE)
            with suppress(FileExistsError):
                os.link(part, self._key_path)
        files.sync(self._root)
        return self._key_path.read_bytes()

    def _path(self, kb: KbUid, document: DocumentUid) -> Path:
        return self._root / kb / document / _FILE


def _masked(key: bytes, nonce: bytes, text: bytes) -> bytes:
    own = hmac.digest(key, b"atoll password text", "sha256")
    blocks = -(-len(text) // _TAG_BYTES)
    stream = b"".join(hmac.digest(own, nonce + number.to_bytes(4), "sha256") for number in range(blocks))
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _tag(key: bytes, kb: KbUid, document: DocumentUid, text: bytes) -> bytes:
    own = hmac.digest(key, b"atoll password tag", "sha256")
    return hmac.digest(own, f"{kb}/{document}/".encode() + text, "sha256")
