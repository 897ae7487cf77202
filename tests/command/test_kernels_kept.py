"""Where compiled kernels are kept: the user's own cache, the workspace where that is not safe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifecircle.service.commands.kernels import kernel_folder
from lifecircle.service.commands.words import prepare


def _home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = folder / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def test_two_workspaces_share_the_folder_of_their_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _home(tmp_path, monkeypatch)
    found = kernel_folder(tmp_path / "one")
    assert found == kernel_folder(tmp_path / "two")
    assert found.is_relative_to(home / "lifecircle")
    assert found.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize("loose", [0o770, 0o707])
def test_a_folder_that_others_may_write_is_not_trusted(
    loose: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _home(tmp_path, monkeypatch)
    kernel_folder(tmp_path)
    (home / "lifecircle").chmod(loose)
    assert kernel_folder(tmp_path) == tmp_path / ".cache" / "numba"


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _home(tmp_path, monkeypatch)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    home.mkdir()
    (home / "lifecircle").symlink_to(tmp_path / "elsewhere")
    assert kernel_folder(tmp_path) == tmp_path / ".cache" / "numba"


def test_without_a_home_that_can_be_made_kernels_lie_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert kernel_folder(tmp_path) == tmp_path / ".cache" / "numba"


def test_what_the_user_says_goes_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _home(tmp_path, monkeypatch)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    prepare(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == "elsewhere"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    prepare(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == str(kernel_folder(tmp_path))
