"""``python -m tests.compose.moved ADDRESS KEY_FILE``: what was restored from a laptop is found and cited here.

The index was not restored: workers make it again from the records, without a model.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.compose.journey import KB, client

NAME = "grimholm-log.txt"
TEXT = "The spare lens of Grimholm lies in the third crate of the boat house.\n"
_SECONDS = 120.0


def main(address: str, key_file: Path) -> None:
    """Look until the index is there again."""
    with client(address, key_file) as owner:
        (document,) = owner.get(f"{KB}/documents", params={"name": NAME}).json()["documents"]
        assert document["status"] == "ready", document
        until = time.monotonic() + _SECONDS
        while True:
            body = owner.post(f"{KB}/search", json={"query": "Where is the spare lens of Grimholm?"}).json()
            if document["id"] in {each["document_id"] for each in body["evidence"]}:
                return
            assert time.monotonic() < until, body
            time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
