"""An image from a connected machine's checkout, whose vendor/wheels is empty; all others are built without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compose import built
from tests.compose.running import docker

pytestmark = pytest.mark.timeout(1500)  # the first test waits for the images

_TAG = "connected-test"


def test_an_image_is_built_from_an_index_where_there_is_one(checkout: Path, tmp_path: Path) -> None:
    del checkout  # an engine
    image = f"atoll/parser:{_TAG}"
    built.copy(tmp_path / "atoll")
    try:
        built.run(tmp_path / "atoll", "docker", "compose", "build", "parser", ATOLL_COMPOSE__TAG=_TAG)
        look = ("python", "-c", "import parser.health, pypdfium2; print('whole')")
        assert docker("run", "--rm", "--network", "none", image, *look).strip() == "whole"
    finally:
        docker("image", "rm", "-f", image, check=False)
