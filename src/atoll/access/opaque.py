"""Numbers of the record store as clients are told them: places in a list, ids of events, ids in the audit trail.

Such numbers count what is done in a whole knowledge base or installation. Whoever was told two of them would learn how
much others did in between, documents out of sight and other tenants included. A client is told a text instead that only
the gateway can read: the number under a synthetic initialization vector (the scheme of RFC 5297), with HMAC-SHA-256
under keys derived from the pepper both for the vector and for the key stream. The same number in the same place has the
same text, so that an event keeps its id.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Literal

#: What a number counts: a place in a list of documents, a change in a knowledge base, an event of the audit trail.
Purpose = Literal["document", "change", "audit"]

_NUMBER_BYTES = 8
_VECTOR_BYTES = 16
#: Characters of an opaque number.
OPAQUE_CHARACTERS = (_NUMBER_BYTES + _VECTOR_BYTES) * 4 // 3


class Opaque:
    """Writes numbers from 0 to 2**63 - 1 as opaque texts, each for a purpose and a knowledge base or tenant."""

    def __init__(self, pepper: bytes) -> None:
        self._for_vectors = hmac.digest(pepper, b"atoll opaque vector", "sha256")
        self._for_numbers = hmac.digest(pepper, b"atoll opaque number", "sha256")

    def text(self, purpose: Purpose, place: str, number: int) -> str:
        """Return the text for a number."""
        plain = number.to_bytes(_NUMBER_BYTES)
        vector = self._vector(purpose, place, plain)
        return base64.urlsafe_b64encode(vector + self._masked(vector, plain)).decode()

    def number(self, purpose: Purpose, place: str, text: str) -> int | None:
        """Return the number of a text that ``text`` made for the same purpose and place, None of any other text."""
        try:
            told = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        vector, masked = told[:_VECTOR_BYTES], told[_VECTOR_BYTES:]
        if len(masked) != _NUMBER_BYTES:
            return None
        plain = self._masked(vector, masked)
        return int.from_bytes(plain) if hmac.compare_digest(self._vector(purpose, place, plain), vector) else None

    def _vector(self, purpose: Purpose, place: str, plain: bytes) -> bytes:
        # The number comes first and has a fixed length, and no purpose holds the separator: no two inputs are alike.
        told = plain + f"{purpose}\x1f{place}".encode()
        return hmac.digest(self._for_vectors, told, "sha256")[:_VECTOR_BYTES]

    def _masked(self, vector: bytes, text: bytes) -> bytes:
        stream = hmac.digest(self._for_numbers, vector, "sha256")
        return bytes(one ^ other for one, other in zip(text, stream, strict=False))
