"""``python -m gateway.setup``: what must be there before the first gateway or worker starts; again is a no-op.

In the container stack this is a service that ends: schema, default tenant and knowledge base, the owner key. With
``--admin`` (`docker compose run --rm setup python -m gateway.setup --admin`) also the admin key, in the data
folder.
"""

from __future__ import annotations

import asyncio
import sys

from atoll import logs, settings
from atoll.bootstrap import installation
from atoll.errors import AtollError


def main() -> int:
    """Set up and return the exit code."""
    try:
        values = settings.load()
        logs.configure(values.log_level)
        made = asyncio.run(installation.initialise(values))
        if "--admin" in sys.argv[1:] and asyncio.run(installation.ensure_admin(values)):
            sys.stdout.write(f"admin key written to {values.admin_key_path}\n")
    except AtollError as error:
        sys.stderr.write(f"setup: {error.message}\n")
        return 1
    sys.stdout.write("owner key registered\n" if made else "was set up\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
