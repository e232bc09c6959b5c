"""Token vocabularies that programs beside Atoll fetch by themselves: brought once, then checked without a network.

Atoll counts tokens with the tokenizer in the embedding model's own folder and needs none of these. vLLM does for models
of the gpt-oss family (it looks in ``TIKTOKEN_ENCODINGS_BASE``, by name), and so does whatever else on the site counts
with tiktoken (``TIKTOKEN_CACHE_DIR``, by the SHA-1 of the address). Both find theirs in one folder, as copies: media
that cross a gap may not know links. The hashes are those that tiktoken checks (``tiktoken_ext/openai_public.py``).
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from atoll import files
from atoll.ops.models.faults import Fault, Kind, ModelRefused

#: Where the vocabularies are published. Another place may be named; what it gives must have the same hash.
SOURCE = "https://openaipublic.blob.core.windows.net/encodings"
_MAX_BYTES = 16 << 20
_FETCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One vocabulary: its name, and the SHA-256 of its file in hex."""

    name: str
    sha256: str

    @property
    def file(self) -> str:
        """Name of the file where it is published and where vLLM looks for it."""
        return f"{self.name}.tiktoken"

    @property
    def places(self) -> tuple[str, str]:
        """Names of the file in the folder: vLLM's, and tiktoken's."""
        address = f"{SOURCE}/{self.file}"
        return self.file, hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()


KNOWN: tuple[Vocabulary, ...] = (
    Vocabulary("o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
    Vocabulary("cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
)


def pull(
    folder: Path, vocabularies: Iterable[Vocabulary], *, source: str, fetch: Callable[[str], bytes] | None = None
) -> list[str]:
    """Fetch what is not in ``folder`` yet, for connected machines, and return the names of what was fetched.

    Args:
        folder: where the vocabularies are kept; made if it is absent.
        vocabularies: which ones.
        source: address below which the files are published.
        fetch: gets one address; by default over HTTP.

    Raises:
        ModelRefused: a file cannot be fetched, is not the one that was published, or cannot be written.
    """
    fetched = []
    for vocabulary in vocabularies:
        if not faults(folder, [vocabulary]):
            continue
        address = f"{source.rstrip('/')}/{vocabulary.file}"
        content = (fetch or _fetch)(address)
        if hashlib.sha256(content).hexdigest() != vocabulary.sha256:
            raise ModelRefused(
                f"{address} is not the vocabulary {vocabulary.name}: its SHA-256 differs; nothing was kept"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in vocabulary.places:
                files.write(folder / name, content, mode=files.READABLE)
        except OSError as error:
            raise ModelRefused(f"{folder} cannot be written: {error.strerror}; name another one with --into") from error
        fetched.append(vocabulary.name)
    return fetched


def faults(folder: Path, vocabularies: Iterable[Vocabulary]) -> list[Fault]:
    """Return what of ``folder`` is absent or changed; nothing is fetched."""
    return [
        fault
        for vocabulary in vocabularies
        for name in vocabulary.places
        if (fault := _fault(folder, name, vocabulary)) is not None
    ]


def _fault(folder: Path, name: str, vocabulary: Vocabulary) -> Fault | None:
    try:
        with (folder / name).open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == vocabulary.sha256
    except FileNotFoundError:
        return Fault(name, Kind.ABSENT, f"{vocabulary.name} is absent; bring it with `atoll tokenizers pull`")
    except OSError as error:
        return Fault(name, Kind.UNREADABLE, f"{vocabulary.name} cannot be read: {error.strerror}")
    remedy = "remove the file and bring it again with `atoll tokenizers pull`"
    return None if same else Fault(name, Kind.CHECKSUM, f"{vocabulary.name} is changed; {remedy}")


def _fetch(address: str) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise ModelRefused(f"{address} is no address of a web server; name one that begins with https://")
    try:
        with urllib.request.urlopen(address, timeout=_FETCH_SECONDS) as answer:  # noqa: S310 - the scheme was checked
            content: bytes = answer.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ModelRefused(f"{address} cannot be fetched: {reason}; this needs a connected machine") from error
    if len(content) > _MAX_BYTES:
        raise ModelRefused(f"{address} is larger than any vocabulary; nothing was kept")
    return content
