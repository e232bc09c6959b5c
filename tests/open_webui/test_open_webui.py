"""Open WebUI as its users install it, in a real Chromium, against the local stack."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from scripts import clients, screen

from tests.clients import chat_server
from tests.clients.conftest import DOCUMENT
from tests.support.stack import ROOT, SAMPLES, STOP_SECONDS, Stack, free_ports, require, running, until

JOURNEY = Path(__file__).with_name("journey.mjs")
PROGRAM = clients.OPEN_WEBUI / "bin" / "open-webui"
#: Where the picture goes: `ATOLL_TEST_PICTURES=docs/pictures make test-open-webui` makes that of the manual anew.
PICTURES = os.environ.get("ATOLL_TEST_PICTURES")
START_SECONDS = 180.0
FREE_SECONDS = 1.0
#: Titles, tags and follow-ups: what it asks by itself when a question was answered.
CHORES = 3

pytestmark = pytest.mark.timeout(600)


@contextmanager
def open_webui(stack: Stack, folder: Path) -> Iterator[str]:
    """Run it as docs/clients.md says, with a model chosen and nobody to sign in."""
    (port,) = free_ports(1)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "DATA_DIR": str(folder), "NO_PROXY": "127.0.0.1",
        "OPENAI_API_BASE_URL": f"{stack.address}/v1", "OPENAI_API_KEY": stack.key, "ENABLE_OLLAMA_API": "False",
        "DEFAULT_MODELS": "atoll/default", "WEBUI_AUTH": "False", "WEBUI_SECRET_KEY": "of-the-test",
        "OFFLINE_MODE": "True", "HF_HUB_OFFLINE": "1", "RAG_EMBEDDING_ENGINE": "openai", "ANONYMIZED_TELEMETRY": "False",
    }  # fmt: skip
    command = [str(PROGRAM), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: process.poll() is not None or _answers(address), START_SECONDS, "Open WebUI answers")
        assert process.poll() is None, (folder / "log").read_text()[-4000:]
        yield address
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def queries(owner: httpx.Client) -> int:
    """Return how many questions were counted."""
    (kb,) = owner.get("/v1/usage").json()["kbs"]
    count: int = kb["queries"]
    return count


def completions(owner: httpx.Client) -> int:
    """Return how many chat completions were answered, those that a program asked by itself among them."""
    counts = re.findall(
        r'request_seconds_count\{.*"/v1/chat/completions",status="200"\} (\d+)', owner.get("/metrics").text
    )
    return int(counts[0]) if counts else 0


def test_a_person_reads_an_answer_and_stops_another(tmp_path: Path) -> None:
    chromium, picture = require("chromium"), Path(PICTURES or tmp_path) / "open-webui.png"
    (tmp_path / "webui").mkdir()
    assert screen.npm(["ls", "playwright-core", "--silent"]) == 0
    files = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("osk-*"))}
    with (
        chat_server.serving() as chat,
        running(tmp_path, {"ATOLL_CHAT__URL": chat.url}) as stack,
        stack.client() as owner,
    ):
        stack.upload(owner, {**files, "harbour.txt": DOCUMENT})
        assert {each["status"] for each in stack.settled(owner)} == {"ready"}
        with open_webui(stack, tmp_path / "webui") as address:
            done = subprocess.run(
                [screen.node_program(), str(JOURNEY)],
                env={
                    "PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHROMIUM": chromium, "WEBUI": address,
                    "MODULES": str(ROOT / "web" / "package.json"), "PICTURE": str(picture.resolve()),
                },
                capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{stack.logs()}"
            seen = json.loads(done.stdout)
            until(lambda: completions(owner) >= 1 + CHORES, 30, "titles, tags and follow-ups were asked")
            until(lambda: queries(owner) >= 2, 30, "questions are counted")
            assert queries(owner) == 2, "what it asks by itself costs no retrieval"
    names = [name.removeprefix("View source: ") for name in seen["names"]]
    documents = [name.split(", page ")[0] for name in names]
    assert (len(set(names)), len(set(documents)), documents[0] == documents[1]) == (3, 2, True), names
    sentences = re.split(r"\n\S+, page \d+\n\.", seen["answer"])[:3]
    for name, sentence, opened in zip(names, sentences, seen["opened"], strict=True):
        assert opened.startswith(name), "a chip opens what it names"
        assert f"(page {name.split()[-1]})" in opened, "it shows the same page once more"
        assert sentence.strip() in " ".join(opened.split()), "what it opens holds the words before it"
    assert seen["elsewhere"] == [], "the browser asked no other host"
    assert chat.freed["written"] - seen["stopped"] < FREE_SECONDS
