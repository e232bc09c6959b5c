"""What ships: the catalogue, the lock file and the default model."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.ops.models import ModelRefused, Role, catalog, lock, places, verify
from embeddings import folder

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def known():
    return catalog.read(MODELS / "catalog.toml")


def test_every_role_has_a_recommendation_and_chat_one_for_every_machine(known):
    covered = {(model.role, machine) for model in known.models for machine in model.machines}
    assert {role for role, _ in covered} == set(Role)
    assert {machine for role, machine in covered if role is Role.CHAT} == set(catalog.Machine)
    assert {machine for role, machine in covered if role is Role.EMBEDDING} == set(catalog.Machine)


def test_a_recommendation_says_all_it_must_and_fits_its_machine(known):
    gigabytes = {catalog.Machine.RAM_8GB: 8, catalog.Machine.RAM_16GB: 16, catalog.Machine.RAM_32GB: 32}
    for model in known.models:
        assert model.license in known.licenses
        assert model.format in ("safetensors", "gguf")
        assert model.format == "safetensors" or (model.file or "").endswith(".gguf")
        assert model.repository.count("/") == 1
        assert 0 < model.approximate_bytes < model.approximate_memory_bytes
        assert model.reason.endswith(".")
        assert ". " not in model.reason, "one sentence"
        for machine in model.machines:
            assert model.approximate_memory_bytes <= 0.7e9 * gigabytes.get(machine, 24)
    assert len({model.name for model in known.models}) == len(known.models)


def test_what_is_recommended_may_be_passed_on(known):
    for model in known.models:
        assert known.licenses[model.license].redistribution is catalog.Redistribution.YES


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("version = 1", "version = 2"), "version 2"),
        (('license = "MIT"', 'license = "WTFPL"'), "WTFPL"),
        (('machines = ["8GB"]', 'machines = ["4GB"]'), "4GB"),
        (('role = "pages"', 'role = "poet"'), "poet"),
        (('file = "model.safetensors"', 'fil = "model.safetensors"'), "fil"),
        (('verified = ["bytes", "license"]', 'verified = ["beauty"]'), "beauty"),
        (('verified = ["bytes", "license"]\n', ""), "verified"),
        (("[[models]]", "[[models"), "TOML|catalogue"),
    ],
)
def test_a_catalogue_that_is_none_is_refused(tmp_path, change, said):
    (tmp_path / "catalog.toml").write_text((MODELS / "catalog.toml").read_text().replace(*change))
    with pytest.raises(ModelRefused, match=said):
        catalog.read(tmp_path / "catalog.toml")
    with pytest.raises(ModelRefused, match="cannot be read"):
        catalog.read(tmp_path / "none.toml")


def test_the_default_model_is_as_the_shipped_lock_says(known):
    (model,) = [entry for entry in lock.read(MODELS / "models.lock.json") if entry.name == "all-MiniLM-L6-v2"]
    assert known.of(model) is not None
    assert verify(places.locate(model, MODELS), model, full=True) == []
    name, found = folder.find(None, lock_file=MODELS / "models.lock.json", full=False)
    assert (name, found) == (model.name, places.locate(model, MODELS))
