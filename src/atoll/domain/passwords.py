"""What the password of an encrypted document may be."""

from __future__ import annotations

from atoll.errors import BadInput

#: UTF-8 bytes of the longest password; no format here takes more than half of them.
PASSWORD_BYTES = 254


def check_password(password: str) -> str | None:
    """Return the password, None for an empty one.

    Raises:
        BadInput: it is longer than any format takes.
    """
    if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES:
        raise BadInput(f"the password has more than {PASSWORD_BYTES} bytes")
    return password or None
