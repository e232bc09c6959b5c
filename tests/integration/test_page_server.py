"""The page-image server as a process: each backend through the client, drain, refusals, and real colpali-engine code."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from atoll.adapters.http_embedder import HttpEmbedder
from atoll.adapters.http_pages import HttpPageEmbedder
from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.domain.block import Line
from atoll.domain.embedding import InputType
from atoll.domain.page import Box, Page
from atoll.domain.page_vectors import PageFailure, PageInput, PageQuery, PageVectors
from atoll.errors import DependencyDown, ModelReplyInvalid
from atoll.ingest.page_lines import CONTRAST
from atoll.query.retrieve.heatmap import heat_of
from atoll.query.retrieve.pages import view_of
from tests.support import stub_embedder
from tests.support.forked import Interpreter, Process
from tests.support.page_images import encoded, file_bytes, heated, marked, noise

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
A4 = Page(1, 595.0, 842.0)


# Starting servers


@cache
def colpali_python() -> str:
    """The interpreter that has colpali-engine, which does not fit into the environment of everything else."""
    for python in (sys.executable, str(ROOT / ".venv-colpali" / "bin" / "python")):
        look = [python, "-c", "import importlib.util as i, sys; sys.exit(i.find_spec('colpali_engine') is None)"]
        if Path(python).exists() and subprocess.run(look, check=False, timeout=60).returncode == 0:
            return python
    pytest.skip("colpali-engine is not installed: make .venv-colpali from requirements-colpali.lock")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ATOLL_", "HF_"))}
    return inherited | {f"ATOLL_{name}": value for name, value in settings.items()}


class Server:
    def __init__(self, process: subprocess.Popen[bytes] | Process, port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def post(self, path: str, body: object, **options) -> httpx.Response:
        return httpx.post(self.url + path, json=body, timeout=120, **options)

    def info(self) -> dict:
        return httpx.get(f"{self.url}/info", timeout=10).json()

    def embed(self, pages: list[PageInput], **options) -> list[PageVectors | PageFailure]:
        async def ask() -> list[PageVectors | PageFailure]:
            async with HttpPageEmbedder(url=self.url, **options) as client:
                return await client.embed_pages(pages)

        return asyncio.run(ask())

    def vectors(self, pages: list[PageInput], **options) -> list[PageVectors]:
        found = self.embed(pages, **options)
        assert all(isinstance(page, PageVectors) for page in found), found
        return found

    def ask(self, queries: list[str]) -> list[np.ndarray]:
        async def ask() -> list[np.ndarray]:
            async with HttpPageEmbedder(url=self.url) as client:
                return [query.vectors for query in await client.embed_queries(queries)]

        return asyncio.run(ask())


def answers(url: str, headers: Mapping[str, str] | None = None) -> bool:
    try:
        return httpx.get(url, timeout=5, headers=headers).status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(
    folder: Path, *, python: str | Interpreter = sys.executable, module: str = "colpali", **settings: str
) -> Iterator[Server]:
    """Start a server with an interpreter of its own, or as a fork of one."""
    port, section = free_port(), "PAGES" if module == "colpali" else "EMBEDDINGS"
    chosen = {**settings, f"{section}__PORT": str(port)}
    log = folder / f"{port}.log"
    process: subprocess.Popen[bytes] | Process
    if isinstance(python, Interpreter):
        process = python.start(module, [], environment(chosen), log)
    else:
        with log.open("wb") as output:
            process = subprocess.Popen([python, "-m", module], env=environment(chosen), stdout=output, stderr=output)
    server = Server(process, port, log)
    token = settings.get("PAGES__TOKEN_FILE")
    headers = {"Authorization": f"Bearer {Path(token).read_text().strip()}"} if token else {}
    try:
        until = time.monotonic() + START_SECONDS
        while not answers(f"{server.url}/ready", headers):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield server
    finally:
        process.kill()
        process.wait(10)


def refusal(folder: Path, *, python: str | Interpreter = sys.executable, **settings: str) -> str:
    """The one line with which a server that must not start leaves."""
    asked = environment({"PAGES__PORT": str(free_port()), **settings})
    if isinstance(python, Interpreter):
        log = folder / "refused.log"
        log.unlink(missing_ok=True)
        code = python.start("colpali", [], asked, log).wait(START_SECONDS)
        told = log.read_text()
    else:
        ended = subprocess.run(
            [python, "-m", "colpali"],
            env=asked,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        code, told = ended.returncode, ended.stderr
    assert code == 1
    assert "Traceback" not in told
    return told.strip().splitlines()[-1]


def seen(seed: int, *texts: str) -> PageInput:
    """A page with an image, and its texts one below the other."""
    lines = tuple(Line(text, 1, Box(72, 60 + 20 * at, 500, 72 + 20 * at)) for at, text in enumerate(texts))
    return PageInput(A4, lines, file_bytes(noise(seed)))


def max_sim(query: np.ndarray, page: PageVectors) -> float:
    return float((query @ page.vectors.astype(np.float32).T).max(axis=1).sum())


# The fake backend: protocol, life and death


@pytest.fixture(scope="module")
def fake(tmp_path_factory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("fake"), PAGES__BACKEND="fake", PAGES__MAX_PIXELS="1000000") as server:
        yield server


def test_the_client_embeds_describes_and_keeps_the_order(fake):
    async def ask():
        async with HttpPageEmbedder(url=fake.url, batch_pages=3) as client:
            card = await client.describe()
            pages = await client.embed_pages([seen(at, f"word{at}") for at in range(10)])
            return card, pages, await client.embed_queries([f"word{at}" for at in range(40)])

    card, pages, queries = asyncio.run(ask())
    assert (card.model, card.dimensions, card.needs_images, card.needs_lines) == ("hashed-words", 128, True, True)
    assert {query.fingerprint for query in queries} == {card.fingerprint}
    queries = [query.vectors for query in queries]
    assert [len(query) for query in queries] == [1] * 40
    for at, query in enumerate(queries[:10]):
        assert int(np.argmax([max_sim(query, page) for page in pages])) == at
    best = int((queries[0] @ pages[0].vectors.astype(np.float32).T).argmax())
    box, line = pages[0].box_of(best, A4), Box(72, 60, 500, 72)
    assert box.x0 <= (line.x0 + line.x1) / 2 <= box.x1
    assert box.y0 <= (line.y0 + line.y1) / 2 <= box.y1


def test_a_bad_image_and_a_huge_one_fail_alone(fake):
    huge = PageInput(A4, (), file_bytes(noise(1, 1200, 1200)))
    sound, broken, refused, missing = fake.embed(
        [seen(1), PageInput(A4, (), b"\x89PNG\r\n\x1a\nnot really"), huge, PageInput(A4)]
    )
    assert isinstance(sound, PageVectors)
    assert all(isinstance(page, PageFailure) for page in (broken, refused, missing))
    assert "1200 x 1200 pixels, the limit is 1000000" in refused.message


def test_the_client_names_what_went_wrong(fake):
    async def ask(url: str, pages: list[PageInput]):
        async with HttpPageEmbedder(url=url) as client:
            return await client.embed_pages(pages)

    refused = fake.post("/v1/queries", {"queries": ["x" * 5000]})
    assert refused.status_code == 400
    assert "queries" in refused.text
    assert len(fake.ask(["x" * 5000])) == 1  # the client cuts what is too long
    with pytest.raises(DependencyDown, match="away"):
        asyncio.run(ask(f"http://127.0.0.1:{free_port()}", [seen(1)]))
    with pytest.raises(ModelReplyInvalid, match="404"):
        asyncio.run(ask(f"{fake.url}/elsewhere", [seen(1)]))


def test_the_health_routes_and_the_host_check(fake):
    assert httpx.get(f"{fake.url}/health").json() == {"status": "ok"}
    metrics = httpx.get(f"{fake.url}/metrics").text
    assert "atoll_model_ready 1.0" in metrics
    assert 'atoll_model_phase_seconds_count{phase="run"}' in metrics
    assert httpx.get(f"{fake.url}/info", headers={"Host": "evil.example"}).status_code == 403


def test_a_flood_of_pages_is_refused_with_retry_after(fake):
    body = {"pages": [{"width": 100, "height": 100, "image": encoded(noise(at, 900, 900))} for at in range(8)]}
    with ThreadPoolExecutor(24) as crowd:
        replies = list(crowd.map(lambda _: fake.post("/v1/pages", body), range(48)))
    refused = [reply for reply in replies if reply.status_code == 429]
    assert {reply.status_code for reply in replies} == {200, 429}
    assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)


def test_sigterm_answers_what_was_accepted_and_leaves_with_0(tmp_path):
    body = {"pages": [{"width": 100, "height": 100, "image": encoded(noise(at, 900, 900))} for at in range(8)]}
    with running(tmp_path, PAGES__BACKEND="fake") as server, ThreadPoolExecutor(4) as crowd:
        sent = [crowd.submit(server.post, "/v1/pages", body) for _ in range(4)]
        until = time.monotonic() + 30
        # The server's own first page counts a run; only a request that was accepted counts a preparation.
        while 'atoll_model_phase_seconds_count{phase="prepare"}' not in httpx.get(f"{server.url}/metrics").text:
            assert time.monotonic() < until
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        replies = [each.result(timeout=60) for each in sent]
        assert [len(reply.json()["data"]) for reply in replies if reply.status_code == 200]
        assert {reply.status_code for reply in replies} <= {200, 503}
        assert server.process.wait(30) == 0
        assert not answers(f"{server.url}/health")


def test_the_token_is_wanted_when_one_is_configured(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    with running(tmp_path, PAGES__BACKEND="fake", PAGES__TOKEN_FILE=str(tmp_path / "token")) as server:
        assert httpx.get(f"{server.url}/health").status_code == 200
        assert server.post("/v1/queries", {"queries": ["a"]}).status_code == 401
        assert isinstance(server.embed([seen(1)], token="s3cret")[0], PageVectors)
        with pytest.raises(DependencyDown, match="401"):
            server.embed([seen(1)], token="wrong")


# The text-lines backend


@pytest.fixture(scope="module")
def stub() -> Iterator[str]:
    server = stub_embedder.create()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def lines(stub, tmp_path_factory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("lines"), EMBEDDINGS__URL=stub) as server:
        yield server


def test_it_says_that_pages_come_from_passages(lines):
    info = lines.info()
    assert (info["backend"], info["needs_images"], info["needs_lines"]) == ("text-lines", False, False)
    assert info["from_passages"] is True
    assert (info["model"], info["dimensions"]) == ("hashed-words", 384)
    refused = lines.post("/v1/pages", {"pages": [{"width": 100, "height": 100}]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (501, "not_available")


def test_a_question_and_its_words_find_the_line_that_holds_them(lines):
    query, other = lines.ask(["What is the relief pressure?", "When is the departure of the ferry?"])
    assert len(query) == len(other) == 5 + 3  # the whole with its weight, and What, relief, pressure
    valve, ferry = MemoryEmbedder().vectors(["relief pressure 16 bar", "departure of the ferry at nine"])
    assert (query @ valve).sum() > (query @ ferry).sum()
    assert (other @ ferry).sum() > (other @ valve).sum()


def test_when_the_embedding_server_goes_away_the_client_is_told_to_come_back(tmp_path):
    command = [sys.executable, "-m", "tests.support.stub_embedder"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as stub:
        port = stub.stdout.readline().split()[1]
        try:
            with running(tmp_path, EMBEDDINGS__URL=f"http://127.0.0.1:{port}") as server:
                stub.kill()
                stub.wait(10)
                told_to_come_back(server)
        finally:
            stub.kill()


def told_to_come_back(server: Server) -> None:
    reply = server.post("/v1/queries", {"queries": ["anyone?"]})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "dependency_down")
    assert int(reply.headers["Retry-After"]) >= 1
    with pytest.raises(DependencyDown, match="embedding server"):
        server.ask(["anyone?"])


def test_an_address_that_is_no_embedding_server_is_a_refusal(fake, tmp_path):
    assert "ATOLL_EMBEDDINGS__URL" in refusal(tmp_path, EMBEDDINGS__URL=f"{fake.url}/nowhere")


@pytest.mark.slow
def test_with_the_real_embedding_server_started_beside_it(tmp_path):
    text = "The safety valve is tested every six months.\nThe ferry leaves at nine in winter."
    cut = text.index("\n")

    async def lines_of(url: str) -> np.ndarray:
        async with HttpEmbedder(url=url) as client:
            spans = [[(0, cut), (cut + 1, len(text))]]
            return (await client.embed_spans([text], spans, input_type=InputType.DOCUMENT)).told_apart(CONTRAST)[0]

    with (
        running(tmp_path, module="embeddings") as embeddings,
        running(tmp_path, EMBEDDINGS__URL=embeddings.url) as server,
    ):
        vectors = asyncio.run(lines_of(embeddings.url))
        for question, line in (("How often must the valve be inspected?", 0), ("When does the boat depart?", 1)):
            assert int((server.ask([question])[0] @ vectors.T).sum(axis=0).argmax()) == line
        assert server.info()["weights_sha256"] == embeddings.info()["weights_sha256"]


# The colpali backend, on tiny random checkpoints


#: torch and transformers come from an environment of their own. One server imports them by itself; the others are forks
#: of an interpreter that did.
COLD = "ColPali"


def colpali(test):
    return pytest.mark.slow(pytest.mark.environment("colpali")(test))


@pytest.fixture(scope="module")
def warm() -> Iterator[Interpreter]:
    started = Interpreter(
        colpali_python(),
        "import colpali.app, colpali.vision; colpali.vision.import_models()",
        environment({}) | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )
    yield started
    started.close()


@pytest.fixture(scope="module")
def checkpoints(warm, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    log = folder.with_suffix(".log")
    made = warm.start("tests.support.colpali_fixture", [str(folder)], environment({}) | {"HF_HUB_OFFLINE": "1"}, log)
    assert made.wait(START_SECONDS) == 0, log.read_text()
    return folder


#: Columns, rows and pixels of a cell of a square page.
GRIDS = {
    "ColModernVBert": (8, 8, 16),
    "ColIdefics3": (8, 8, 16),
    "ColPali": (4, 4, 32),
    "ColQwen2": (5, 5, 28),
    "adapter": (8, 8, 16),
}


@pytest.fixture(scope="module", params=GRIDS)
def vision(request, warm, checkpoints, tmp_path_factory) -> Iterator[tuple[str, Server]]:
    settings = {"BACKEND": "colpali", "MODEL_DIR": str(checkpoints / request.param), "DTYPE": "fp32", "THREADS": "1"}
    folder = tmp_path_factory.mktemp("vision")
    python = colpali_python() if request.param == COLD else warm
    with running(folder, python=python, **{f"PAGES__{name}": value for name, value in settings.items()}) as it:
        yield request.param, it


def images(*pictures) -> list[PageInput]:
    return [PageInput(A4, (), file_bytes(picture)) for picture in pictures]


@colpali
def test_only_image_tokens_leave_the_server_and_every_page_is_its_own_best_answer(vision):
    _, server = vision
    pages = server.vectors(images(noise(1), noise(2), noise(3, 128, 60), noise(4, 128, 128)))
    for page in pages:
        columns, rows = page.grid
        assert page.vectors.shape == (columns * rows, 128)
        assert (len(page.rows), len(page.cols)) == (rows, columns)
        assert np.isfinite(page.vectors).all()
    for at, page in enumerate(pages):
        scores = [max_sim(page.vectors.astype(np.float32), other) for other in pages]
        assert int(np.argmax(scores)) == at
        assert scores[at] == pytest.approx(len(page.vectors), rel=1e-3)


@colpali
def test_a_page_has_the_same_vectors_alone_and_in_a_batch_of_other_sizes(vision):
    _, server = vision
    inputs = images(noise(1), noise(2, 128, 60), noise(3, 128, 128), noise(4, 60, 128))
    together = server.vectors(inputs)
    for page, alone in zip(together, inputs, strict=True):
        np.testing.assert_allclose(page.vectors, server.vectors([alone])[0].vectors, atol=2e-3)


@colpali
def test_the_vector_that_changes_most_is_that_of_the_marked_cell_in_raster_order(vision):
    name, server = vision
    columns, rows, pixels = GRIDS[name]
    cells = [(column, row) for row in range(rows) for column in range(columns)]
    pictures = [marked(*cell, columns=columns, rows=rows, cell_pixels=pixels) for cell in cells]
    blank = marked(columns, rows, columns=columns, rows=rows, cell_pixels=pixels)  # beside the page
    white, *pages = server.vectors(images(blank, *pictures), batch_pages=8)
    assert white.grid == (columns, rows)
    found = 0
    for (column, row), page in zip(cells, pages, strict=True):
        change = np.linalg.norm(page.vectors.astype(np.float32) - white.vectors.astype(np.float32), axis=1)
        found += int(change.argmax()) == row * columns + column
    # Random weights blur some cells into their neighbours; in tile order a quarter of the cells would be right.
    assert found >= 0.65 * len(cells)


@colpali
def test_a_heatmap_peaks_on_the_marked_cell(vision):
    """Asked with the vector of what changed, the page is warmest where the mark was drawn."""
    name, server = vision
    columns, rows, pixels = GRIDS[name]
    cells = [(column, row) for row in range(rows) for column in range(columns)][:: max(1, columns * rows // 8)]
    blank = marked(columns, rows, columns=columns, rows=rows, cell_pixels=pixels)
    pictures = [marked(*cell, columns=columns, rows=rows, cell_pixels=pixels) for cell in cells]
    white, *pages = server.vectors(images(blank, *pictures), batch_pages=8)
    hits = 0
    for (column, row), page in zip(cells, pages, strict=True):
        change = page.vectors.astype(np.float32) - white.vectors.astype(np.float32)
        query = page.vectors[[np.linalg.norm(change, axis=1).argmax()]].astype(np.float32)
        side = Page(1, columns * pixels, rows * pixels)
        view = view_of(side, page, PageQuery("model", query))
        drawn = file_bytes(marked(columns, rows, columns=columns, rows=rows, cell_pixels=pixels))
        heat = np.asarray(Image.open(BytesIO(heated(drawn, heat_of(view)))).convert("RGB"), dtype=int)
        y, x = np.unravel_index((255 * 3 - heat.sum(axis=2)).argmax(), heat.shape[:2])
        hits += (x // pixels, y // pixels) == (column, row)
        assert view.boxes[0].x1 - view.boxes[0].x0 == pytest.approx(pixels, abs=0.2)
    assert hits >= 0.5 * len(cells)


@colpali
def test_queries_are_the_same_alone_and_together_and_image_tokens_in_them_are_text(vision):
    _, server = vision
    short, long, odd = server.ask(["valve", "how often is the safety valve inspected", "an <image> of <row_1_col_1>"])
    np.testing.assert_allclose(server.ask(["valve"])[0], short, atol=2e-3)
    assert len(short) < len(long)
    assert np.isfinite(odd).all()


@colpali
def test_lines_alone_are_not_enough_for_a_backend_that_sees(vision):
    _, server = vision
    (failed,) = server.embed([PageInput(A4, seen(1, "safety valve").lines)])
    assert isinstance(failed, PageFailure)
    info = server.info()
    assert (info["backend"], info["needs_images"], info["needs_lines"]) == ("colpali", True, False)
    assert info["adapter"] is (info["model"] == "adapter")


@colpali
def test_an_adapter_changes_the_model_it_lies_over(warm, checkpoints, tmp_path):
    results = []
    for folder in (checkpoints / "adapter", checkpoints / "adapter" / "base"):
        settings = {"PAGES__BACKEND": "colpali", "PAGES__MODEL_DIR": str(folder), "PAGES__DTYPE": "fp32"}
        with running(tmp_path, python=warm, **settings) as server:
            results.append((server.vectors(images(noise(1)))[0].vectors, server.info()["fingerprint"]))
    (adapted, one), (plain, other) = results
    assert np.abs(adapted.astype(np.float32) - plain.astype(np.float32)).max() > 0.05
    assert one != other


@colpali
@pytest.mark.parametrize(
    ("knobs", "grid"), [({"LONGEST_EDGE": "256"}, (12, 16)), ({"LONGEST_EDGE": "256", "MAX_TILES": "5"}, (8, 8))]
)
def test_tiles_are_the_price_knob(warm, checkpoints, tmp_path, knobs, grid):
    settings = {"BACKEND": "colpali", "MODEL_DIR": str(checkpoints / "ColModernVBert"), "DTYPE": "fp32", **knobs}
    with running(tmp_path, python=warm, **{f"PAGES__{name}": value for name, value in settings.items()}) as server:
        assert server.vectors(images(noise(1, 181, 256)))[0].grid == grid


@colpali
def test_what_cannot_be_loaded_is_one_line_that_names_it(warm, checkpoints, tmp_path):
    assert "MODEL_DIR" in refusal(tmp_path, python=warm, PAGES__BACKEND="colpali")
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in (checkpoints / "ColModernVBert").iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    content = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(content[: len(content) // 2])
    assert "model.safetensors" in refusal(tmp_path, python=warm, PAGES__BACKEND="colpali", PAGES__MODEL_DIR=str(broken))
    (broken / "model.safetensors").write_bytes(content)
    (broken / "tokenizer.json").write_text("{}")
    assert str(broken) in refusal(tmp_path, python=warm, PAGES__BACKEND="colpali", PAGES__MODEL_DIR=str(broken))
