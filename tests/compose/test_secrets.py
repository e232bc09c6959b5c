"""After all that the tests before this one did: no secret is in what the engine, the logs or the processes show."""

from __future__ import annotations

import json

import pytest

from tests.compose.running import Running, docker

pytestmark = pytest.mark.timeout(900)

#: What a gateway says about itself where nobody but Compose's own networks can ask.
_STATUS = """
import urllib.error, urllib.request
for path in ("health/ready", "metrics"):
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:8000/{path}", timeout=20).read().decode())
    except urllib.error.HTTPError as error:
        print(error.read().decode())
"""


def test_no_secret_is_to_be_seen(stack: Running) -> None:
    names = [path.name for path in (stack.folder / "secrets").iterdir() if path.is_file()]
    values = {name: (stack.folder / "secrets" / name).read_text().strip() for name in names if "." not in name}
    assert len(values) >= 8
    containers = stack.containers(ended=True)
    shown = {
        "inspect": docker("inspect", *containers),
        "images": docker("inspect", *{each["Config"]["Image"] for each in json.loads(docker("inspect", *containers))}),
        "config": stack.compose("config"),
        "logs": "".join(docker("logs", each, both=True) for each in containers),
        "ps": stack.compose("ps", "-a", "--format", "json") + stack.compose("ps", "-a"),
        "processes": "\n".join(docker("top", each, "-eo", "pid,args") for each in stack.containers()),
        "status": docker("exec", stack.containers("gateway")[0], "python", "-c", _STATUS),
    }
    assert all(len(text) > 100 for text in shown.values())
    assert [(place, name) for place, text in shown.items() for name, value in values.items() if value in text] == []
    print(f"\nno secret in: {', '.join(f'{place} {len(text):,} characters' for place, text in shown.items())}")
