"""The `atoll` command as a process, against a gateway that speaks the agreed API on a real socket."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atoll.local import pids, state
from tests.support.fake_gateway import ANSWER, KEY, PNG, FakeGateway, serving

ATOLL = (sys.executable, "-m", "atoll.cli.main")


class Cli:
    """Runs commands against one address."""

    def __init__(self, port: int, data_dir: Path) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "ATOLL_DATA_DIR": str(data_dir),
            "ATOLL_GATEWAY__PORT": str(port),
            "ATOLL_API_KEY": KEY,
            "HTTP_PROXY": "http://127.0.0.1:1",  # must play no part
        }
        self.folder = data_dir

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ATOLL, *arguments],
            env={name: value for name, value in {**self.environment, **environment}.items() if value},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def atoll(gateway: FakeGateway, tmp_path: Path) -> Iterator[Cli]:
    with serving(gateway) as port:
        yield Cli(port, tmp_path)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.txt").write_text("two")
    (folder / "a.txt").write_text("one")
    (folder / "deep" / "c.txt").write_text("three")
    (folder / ".hidden.txt").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "s.txt").write_text("secret too")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").symlink_to(tmp_path / "secrets")
    return folder


def test_ingest_sends_a_folder_and_follows_no_link(atoll: Cli, gateway: FakeGateway, library: Path) -> None:
    done = atoll("ingest", str(library), "--label", "x", "--label", "y", "--metadata", "year=2024", "--replace")
    assert done.returncode == 0, done.stderr
    assert sorted(document["name"] for document in gateway.documents.values()) == ["a.txt", "b.txt", "c.txt"]
    assert gateway.fields[0] == {"replace": "true", "labels": "x,y", "metadata": '{"year": 2024}'}
    assert "link, not followed" in done.stdout
    assert done.stdout.splitlines()[-1] == "3 files: 3 ready, 2 skipped"
    again = atoll("ingest", str(library))
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1] == "3 files: 3 already there, 2 skipped"


def test_ingest_sends_the_first_line_of_a_password_file(atoll: Cli, gateway: FakeGateway, library: Path) -> None:
    password = library.parent / "password"
    password.write_text("spring tide\nnot this\n")
    done = atoll("ingest", str(library), "--password-file", str(password))
    assert done.returncode == 0, done.stderr
    assert [fields["password"] for fields in gateway.fields] == ["spring tide"] * 3
    password.write_text("\n")
    done = atoll("ingest", str(library), "--password-file", str(password))
    assert done.returncode == 1
    assert "holds no password" in done.stderr


def test_ingest_tells_of_failures_and_exits_1(atoll: Cli, library: Path) -> None:
    (library / "broken.txt").write_text("torn")
    done = atoll("ingest", str(library))
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "page 7 is torn (DocumentUnreadable in parse, page 7)" in done.stdout


def test_an_unsupported_file_fails_only_when_it_was_named(atoll: Cli, library: Path) -> None:
    (library / "film.xyz").write_text("?")
    done = atoll("ingest", str(library))
    assert done.returncode == 0
    assert "1 unsupported" in done.stdout
    assert atoll("ingest", str(library), "--strict").returncode == 1
    named = atoll("ingest", str(library / "film.xyz"))
    assert named.returncode == 1
    assert "nothing here reads .xyz" in named.stdout


def test_ingest_waits_when_the_gateway_is_busy(atoll: Cli, gateway: FakeGateway, library: Path) -> None:
    gateway.busy_for = 6
    done = atoll("ingest", str(library))
    assert done.returncode == 0, done.stdout
    assert gateway.busy_for == 0


def test_ingest_stops_when_the_disk_is_full(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        (many / f"{number}.txt").write_text(str(number))
    gateway.full = True
    done = atoll("ingest", str(many))
    assert done.returncode == 1
    assert "Storage full: the disk is below its floor" in done.stdout
    assert sum(request.startswith("POST") for request in gateway.requests) <= 8


def test_ingest_is_bounded_in_time_and_in_flight(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    (many / "slow.txt").write_text("slow")
    for number in range(20):
        (many / f"{number}.txt").write_text(str(number))
    done = atoll("ingest", str(many), "--timeout", "6")
    assert done.returncode == 1
    assert "slow.txt: not ready within 6 s; the work goes on" in done.stdout
    assert "20 ready" in done.stdout
    assert 1 <= gateway.most_in_flight <= 4


def test_a_broken_answer_is_asked_for_again(atoll: Cli, gateway: FakeGateway, library: Path) -> None:
    gateway.break_after_accept = 2
    done = atoll("ingest", str(library))
    assert done.returncode == 0, done.stdout
    assert len(gateway.documents) == 3


def test_ingest_outlives_a_restart_of_the_gateway(gateway: FakeGateway, tmp_path: Path, library: Path) -> None:
    (library / "slow.txt").write_text("slow")
    with serving(gateway) as port:
        atoll = Cli(port, tmp_path)
        done: list[subprocess.CompletedProcess[str]] = []
        thread = threading.Thread(target=lambda: done.append(atoll("ingest", str(library), "--timeout", "40")))
        thread.start()
        deadline = time.monotonic() + 20
        while len(gateway.documents) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
    time.sleep(1.5)
    for document in gateway.documents.values():
        document["name"] = document["name"].replace("slow", "done")
    with serving(gateway, port):
        thread.join(50)
    assert done[0].returncode == 0, done[0].stdout
    assert done[0].stdout.splitlines()[-1].startswith("4 files: 4 ready")


def test_replace_refuses_two_files_of_one_place_and_folders_tell_names_apart(
    atoll: Cli, gateway: FakeGateway, library: Path
) -> None:
    (library / "deep" / "a.txt").write_text("another")
    done = atoll("ingest", "--replace", str(library), str(library / "deep" / "a.txt"), str(library / "deep"))
    assert done.returncode == 0, done.stderr
    sources = {fields.get("source") for fields in gateway.fields}
    assert sources == {None, "deep"}
    gateway.documents.clear()
    # Each PATH is what its files are relative to: both are `a.txt` without a source.
    done = atoll("ingest", "--replace", str(library / "a.txt"), str(library / "deep"))
    assert done.returncode == 1
    assert "these come more than once: a.txt; say with --root DIR" in done.stderr
    assert gateway.documents == {}
    gateway.fields.clear()
    done = atoll("ingest", "--replace", "--root", str(library), str(library / "a.txt"), str(library / "deep"))
    assert done.returncode == 0, done.stderr
    assert [fields.get("source") for fields in gateway.fields].count("deep") == 2
    outside = atoll("ingest", "--root", str(library / "deep"), str(library / "a.txt"))
    assert (outside.returncode, "does not lie below --root" in outside.stderr) == (1, True)


def test_no_wait_and_json(atoll: Cli, gateway: FakeGateway, library: Path) -> None:
    (library / "slow.txt").write_text("slow")
    assert "accepted" in atoll("ingest", "--no-wait", str(library / "slow.txt")).stdout
    done = atoll("ingest", str(library / "a.txt"), str(library / "a.txt"), "--json")
    body = json.loads(done.stdout)
    assert [document["status"] for document in body["documents"]] == ["ready"]
    assert body["duplicates"] == body["rejected"] == []


def test_ask_prints_the_answer_with_marks_and_what_they_stand_for(atoll: Cli) -> None:
    done = atoll("ask", "why?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "The ramp failed. [1] It was [31mold. (unsupported)",  # the escape character is gone
        "",
        "[1] ramp report.pdf, page 3, passage p7",
        "    The ramp failed in March.",
        "    atoll page 'ramp report.pdf' 3 --mark p7",
    ]
    assert json.loads(atoll("ask", "why?", "--json").stdout) == ANSWER


def test_ask_tells_refusals_and_broken_answers(atoll: Cli) -> None:
    refused = atoll("ask", "unknown")
    assert (refused.returncode, refused.stdout) == (0, "The documents do not say.\n")
    broken = atoll("ask", "break")
    assert (broken.returncode, broken.stderr) == (1, "atoll: Model reply invalid: it said nothing\n")
    cut = atoll("ask", "cut")
    assert cut.returncode == 1
    assert "broke off" in cut.stderr


def test_questions_are_narrowed_and_follow_a_conversation(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    narrowed = ("--label", "hr", "--metadata", "year=2024", "--metadata", "year=2025", "--metadata", "kind=note")
    assert atoll("search", "x", *narrowed, "--document", "d1", "--source", "a/b", "--name", "*.pdf").returncode == 0
    assert gateway.asked[-1]["filters"] == {
        "document_ids": ["d1"],
        "names": ["*.pdf"],
        "sources": ["a/b"],
        "labels": ["hr"],
        "metadata": {"year": [2024, 2025], "kind": "note"},
    }
    turns = [{"role": "user", "content": "Who kept Osk Head?"}, {"role": "assistant", "content": "Ada. [1]"}]
    (tmp_path / "talk.json").write_text(json.dumps(turns))
    assert atoll("ask", "Until when?", "--history", "talk.json").returncode == 0
    assert (gateway.asked[-1]["history"], "filters" in gateway.asked[-1]) == (turns, False)
    (tmp_path / "talk.json").write_text("{}x")
    assert "is not a JSON list of turns" in atoll("ask", "x", "--history", "talk.json").stderr
    assert atoll("ask", " ").returncode == 2


def test_an_ingest_that_is_stopped_says_how_far_it_came(atoll: Cli, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for name in ("slow.txt", "a.txt", "b.txt"):
        (many / name).write_text(name)
    command = [*ATOLL, "ingest", str(many)]
    with subprocess.Popen(
        command, env=atoll.environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        for _ in range(2):
            assert running.stdout.readline().startswith("ready")
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=20)
    assert running.returncode == 1
    assert told.startswith(
        "stopped: Atoll has taken 3 of 3 files; of these 2 had ended, and the work on the others goes on"
    )


def test_open_and_support_bundle(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{atoll.environment['ATOLL_GATEWAY__PORT']}"
    opened = atoll("open")
    assert opened.stdout == f"{address}/link#a.b-c\n"
    assert KEY not in opened.stdout + opened.stderr
    packed = atoll("support-bundle", "-o", "help.tar.gz", "--json")
    assert packed.returncode == 0, packed.stderr
    assert {"machine.json", "settings.json", "status.json", "packages.txt"} <= set(json.loads(packed.stdout)["parts"])
    assert KEY.encode() not in gzip.decompress((tmp_path / "help.tar.gz").read_bytes())


def test_search_shows_signals(atoll: Cli) -> None:
    done = atoll("search", "ramp")
    assert done.returncode == 0
    assert "  1. 0.900  ramp report.pdf, page 3, passage p7" in done.stdout
    assert "dense #1 0.900" in done.stdout


def test_page_by_name_is_a_png(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    for name, content in (("other.txt", b"2"), ("a [report].pdf", b"1")):
        gateway.accept(name, content)
    done = atoll("page", "a [report].pdf", "3", "--mark", "p7")
    assert (done.returncode, done.stdout) == (0, "a [report].pdf-p3.png\n")
    assert (tmp_path / "a [report].pdf-p3.png").read_bytes() == PNG + b"p7"
    assert atoll("page", "a [report].pdf", "3", "-o", "x.png").returncode == 0
    assert (tmp_path / "x.png").read_bytes() == PNG
    missing = atoll("page", "nowhere.pdf", "1")
    assert missing.returncode == 1
    assert "no document in 'default' has the id or name 'nowhere.pdf'" in missing.stderr


def test_documents_are_listed_over_all_pages_shown_and_deleted(atoll: Cli, gateway: FakeGateway) -> None:
    for number in range(3):
        gateway.accept(f"{number}.txt", str(number).encode())
    listed = json.loads(atoll("documents", "list", "--json").stdout)
    assert sorted(document["name"] for document in listed["documents"]) == ["0.txt", "1.txt", "2.txt"]
    assert "3 ready" in atoll("documents", "list").stdout
    assert "sha256" in atoll("documents", "show", "1.txt").stdout
    shown = atoll("documents", "show", "1.txt", "--passages").stdout
    assert shown == "[0] page 1, Ramp\n    The ramp failed\n    in March.\n1 passage\n"
    skipped = atoll("documents", "show", "1.txt", "--skipped").stdout.splitlines()
    assert skipped[0].startswith("hidden           no page   unseen ")
    assert "\x1b" not in skipped[0]
    assert skipped[1] == "the first 1 of 2 left out"
    dry = atoll("documents", "delete", "1.txt", "--dry-run")
    assert dry.stdout == "1.txt: would remove 2 passages; 1 shared entities stay\n"
    assert len(gateway.documents) == 3
    assert atoll("documents", "delete", "1.txt").returncode == 0
    assert len(gateway.documents) == 2


def test_errors_are_one_line_with_the_right_exit_code(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    wrong_key = atoll("search", "x", ATOLL_API_KEY="atoll_wrong")
    assert (wrong_key.returncode, wrong_key.stderr) == (1, "atoll: Not authenticated: this key is not known\n")
    no_key = atoll("search", "x", ATOLL_API_KEY="")
    assert no_key.returncode == 1
    assert f"{tmp_path / 'owner.key'} does not exist" in no_key.stderr
    assert "run `atoll up --local`" in no_key.stderr
    assert "ATOLL_DATA_DIR" in no_key.stderr
    (tmp_path / "owner.key").write_text(KEY + "\n")
    assert atoll("search", "x", ATOLL_API_KEY="").returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as held:
        nobody = str(held.getsockname()[1])
    away = atoll("ask", "x", ATOLL_GATEWAY__PORT=nobody)
    assert away.returncode == 1
    assert away.stderr.startswith("atoll: Atoll is not running here")
    assert "start it with `atoll up --local`" in away.stderr
    assert str(tmp_path) in away.stderr  # the directory that was looked at, from wherever
    told = atoll("ask", "x", "--json", ATOLL_GATEWAY__PORT=nobody)
    assert json.loads(told.stdout)["type"] == "urn:atoll:problem:NotRunning"
    refused = json.loads(atoll("search", "x", "--json", ATOLL_API_KEY="atoll_wrong").stdout)
    assert refused["title"] == "Not authenticated"  # the problem document as it came
    assert atoll("search").returncode == 2
    assert atoll("ingest", "/no/such/path").returncode == 2
    assert atoll("up").returncode == 2
    assert "docker compose up" in atoll("up").stderr
    unknown = atoll("status", ATOLL_NONSENSE="1")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)


def test_a_stack_that_starts_or_was_refused_says_so(atoll: Cli, gateway: FakeGateway, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        nobody = str(held.getsockname()[1])
    own = pids.identify(os.getpid())
    assert own is not None
    rows = (
        state.Row("supervisor", "running", pid=own.pid, start_ticks=own.start_ticks),
        state.Row("embeddings", "starting"),
        state.Row("queue", "running"),
    )
    (tmp_path / "run").mkdir()
    state.write(tmp_path / "run", state.StackState(pids.boot_id(), "starting", "http://unused", rows))
    starting = atoll("ask", "x", ATOLL_GATEWAY__PORT=nobody)
    assert starting.stderr.startswith("atoll: Atoll is still starting (embeddings); try again"), starting.stderr
    (tmp_path / "run" / "state.json").unlink()
    # Somebody else's gateway has the port: it answers, and it is not ours.
    refused = atoll("up", "--local", ATOLL_API_KEY="", OPENAI_API_KEY="x")
    assert refused.returncode == 1
    first, last = refused.stderr.splitlines()
    assert first.startswith("not supported: OPENAI_API_KEY, use ATOLL_CHAT__URL")
    assert "is taken" in last
    assert json.loads(atoll("status", "--json").stdout)["ready"] is False
    asked = atoll("ask", "x", ATOLL_API_KEY="")
    assert asked.stderr.startswith("atoll: Atoll did not start here: port "), asked.stderr
    (tmp_path / "run" / "state.json").unlink()
    (tmp_path / "run" / "state.json").mkdir()
    unreadable = atoll("status")
    assert (unreadable.returncode, unreadable.stderr.count("\n")) == (1, 1), unreadable.stderr


def test_documents_are_read_again_by_name_or_all_of_them(atoll: Cli, gateway: FakeGateway) -> None:
    for content in (b"1", b"2", b"3"):
        gateway.accept(f"{content.decode()}.txt", content)
    assert atoll("documents", "reprocess").returncode == 2
    assert atoll("documents", "reprocess", "1.txt", "--all").returncode == 2
    (atoll.folder / "password").write_text("Springtide\n")
    one = atoll("documents", "reprocess", "1.txt", "--from", "embed", "--password-file", "password")
    assert (one.returncode, one.stdout) == (0, "documents that are read again: 1\n"), one.stderr
    assert list(gateway.read_again.values()) == ["embed"]
    assert gateway.passwords == ["Springtide"]
    assert atoll("documents", "reprocess", "1.txt").returncode == 1
    gateway.busy_for = 2
    every = atoll("documents", "reprocess", "--all")
    assert every.returncode == 0, every.stderr
    assert "left out: 1.txt: Conflict: the document is being read again already" in every.stdout
    assert "documents that are read again: 2" in every.stdout
    assert sorted(gateway.read_again.values()) == ["embed", "parse", "parse"]


def test_stack_commands_without_a_stack(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        atoll = Cli(held.getsockname()[1], tmp_path / "data")
    atoll.folder = tmp_path
    assert atoll("down").stdout == "Atoll was not running here\n"
    assert json.loads(atoll("down", "--json").stdout) == {"stopped": False}
    body = json.loads(atoll("status", "--json").stdout)
    assert (body["ready"], body["older_documents"]) == (False, None)
    assert {row["state"] for row in body["processes"]} == {"stopped", "not configured"}
    assert atoll("logs").returncode == 2
    made = atoll("init")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    for private in ("owner.key", "secrets/pepper"):
        assert (tmp_path / "data" / private).stat().st_mode & 0o777 == 0o600
    key = (tmp_path / "data" / "owner.key").read_text()
    assert "(was there)" in atoll("init").stdout
    assert (tmp_path / "data" / "owner.key").read_text() == key


def test_logs_follow_what_is_added(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "gateway.log"
    log.write_text("one\ntwo\n\x1b[2Jthree\n")
    atoll = Cli(1, tmp_path)
    assert atoll("logs", "gateway", "-n", "2").stdout == "two\n[2Jthree\n"
    assert atoll("logs", "nobody").returncode == 2
    assert json.loads(atoll("logs", "gateway", "-n", "1", "--json").stdout)["role"] == "gateway"
    with subprocess.Popen(
        [*ATOLL, "logs", "-f", "-n", "0"], env=atoll.environment, stdout=subprocess.PIPE, text=True
    ) as following:
        time.sleep(1.5)
        with log.open("a") as file:
            file.write("four\n")
        assert following.stdout is not None
        assert following.stdout.readline() == "four\n"
        following.send_signal(signal.SIGINT)
    assert following.returncode == 1


def test_help_is_quick(tmp_path: Path) -> None:
    """By processor time, which a busy machine does not change much."""
    seconds = []
    for _ in range(5):
        before = os.times()
        assert Cli(1, tmp_path)("--help").returncode == 0
        after = os.times()
        seconds.append(after.children_user - before.children_user + after.children_system - before.children_system)
    assert min(seconds) < 0.25
