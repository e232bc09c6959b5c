"""Health checks of containers: the server's own answer, or a worker's sign of life."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from atoll.ops import health
from atoll.ops.models import present


def test_a_worker_lives_while_its_file_is_fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign = tmp_path / "worker.alive"
    assert health.main(["--heartbeat", str(sign)]) == 1
    assert "no sign of life" in capsys.readouterr().out
    sign.touch()
    assert health.main(["--heartbeat", str(sign)]) == 0
    os.utime(sign, (time.time() - 60, time.time() - 60))
    assert health.main(["--heartbeat", str(sign)]) == 1
    assert "60 s old" in capsys.readouterr().out


def test_models_that_are_not_there_are_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.gguf").write_bytes(b"not at all")
    cases = {
        (): 0,
        ("--folder", "ATOLL_EMBEDDINGS__MODEL_DIR="): 0,
        ("--folder", f"ATOLL_EMBEDDINGS__MODEL_DIR={tmp_path}/gone"): "is absent",
        ("--folder", f"ATOLL_PAGES__MODEL_DIR={tmp_path}/empty"): ".safetensors",
        ("--chat", ""): "ATOLL_CHAT__MODEL_FILE is not set",
        ("--chat", "gone.gguf"): "models-pull",
        ("--chat", "broken.gguf"): "broken.gguf",
    }
    for arguments, expected in cases.items():
        code = present.main(list(arguments), models=tmp_path)
        said = capsys.readouterr().err
        assert code == (0 if expected == 0 else 1), arguments
        assert (said == "") if expected == 0 else (str(expected) in said), (arguments, said)
        assert said.count("\n") == (expected != 0)
