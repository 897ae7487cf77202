"""Compiled kernels lie in the workspace; the user's own cache lends them where that is safe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifecircle.service.commands.kernels import bring_kernels, kernel_folder, lend_kernels
from lifecircle.service.commands.words import prepare


def _home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = folder / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def _kept(folder: Path) -> Path:
    """A compiled kernel as numba leaves it, in `folder`."""
    for name in ("k.nbc", "k.nbi"):
        (folder / "streets").mkdir(parents=True, exist_ok=True)
        (folder / "streets" / name).write_text(name)
    return folder


def _own(home: Path) -> Path:
    """The folder of the user's kernels, made by lending to a workspace."""
    lend_kernels(home.parent / "first" / ".cache" / "numba")
    (own,) = (home / "lifecircle").iterdir()
    return own


def test_a_new_workspace_is_lent_what_its_user_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = _kept(_own(_home(tmp_path, monkeypatch)))
    assert own.stat().st_mode & 0o777 == 0o700
    there = kernel_folder(tmp_path / "two")
    lend_kernels(there)
    assert {file.name for file in there.rglob("*.nb?")} == {"k.nbc", "k.nbi"}
    (there / "streets" / "k.nbi").write_text("newer")
    os.utime(there / "streets" / "k.nbi", ns=(2**62, 2**62))
    bring_kernels(there, own)
    assert (own / "streets" / "k.nbi").read_text() == "newer"
    assert sorted(file.name for file in (own / "streets").iterdir()) == ["k.nbc", "k.nbi"]


@pytest.mark.parametrize("loose", [0o770, 0o707])
def test_a_folder_that_others_may_write_is_not_trusted(
    loose: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _home(tmp_path, monkeypatch)
    _kept(_own(home))
    (home / "lifecircle").chmod(loose)
    lend_kernels(kernel_folder(tmp_path / "two"))
    assert not (tmp_path / "two").exists()


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _home(tmp_path, monkeypatch)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    home.mkdir()
    (home / "lifecircle").symlink_to(tmp_path / "elsewhere")
    lend_kernels(kernel_folder(tmp_path / "two"))
    assert not (tmp_path / "two").exists()


def test_without_a_home_that_can_be_made_a_workspace_compiles_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    lend_kernels(kernel_folder(tmp_path / "two"))
    assert not (tmp_path / "two").exists()


def test_what_the_user_says_goes_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _home(tmp_path, monkeypatch)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    prepare(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == "elsewhere"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    prepare(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == str(kernel_folder(tmp_path))
