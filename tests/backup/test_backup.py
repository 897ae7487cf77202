"""A backup is a whole, checked copy, whatever happens meanwhile; a restore is all of it or nothing.

Areas here are a few small files under a manifest that reads: nothing of a copy looks into them.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifecircle.analysis.results import upkeep
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.service.backup import copying
from lifecircle.service.backup.contents import ASIDE, DATABASE, NAME, read_contents
from lifecircle.service.backup.copying import make_backup
from lifecircle.service.backup.restoring import restore_backup
from lifecircle.service.cli import app as commands
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key, find_key, list_keys
from lifecircle.service.errors import BackupError
from tests.worlds.tiny import tiny_run

SHAPES = ("copy", "copy.tar")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder)
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine does not lose its power here: nothing need be waited for."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def root(tiny: Path, tmp_path: Path) -> Path:
    """A workspace of two areas, a cache, a proposal, a key."""
    workspace = tmp_path / "ws"
    shutil.copytree(tiny, workspace)
    shutil.copytree(tiny / "tiny", workspace / "昆明")
    (run,) = AreaFolders(workspace).runs("tiny")
    (workspace / "tiny" / "proposals" / run).mkdir(parents=True)
    (workspace / "tiny" / "proposals" / run / "p.json").write_text("{}", "utf-8")
    (workspace / ".cache" / "numba").mkdir(parents=True)
    (workspace / ".cache" / "numba" / "x").write_bytes(b"kernel")
    (workspace / "tiny" / ".tmp-0").mkdir()
    open_database(workspace).dispose()
    return workspace


def files(folder: Path) -> dict[str, bytes]:
    """What a workspace is: its files but the database's bytes, caches and what is under way."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".cache" not in path.parts and "sqlite3" not in path.name
        and path.name != NAME
    }  # fmt: skip


def database(root: Path) -> Path:
    return root / DATABASE


@pytest.mark.parametrize("name", SHAPES)
def test_what_comes_back_is_what_was_there(root: Path, tmp_path: Path, name: str) -> None:
    engine = open_database(root)
    made, written = add_key(engine, "王工", "viewer", None, "test")
    seen: list[float] = []
    contents = make_backup(
        root, tmp_path / name, database(root), lambda _, share: seen.append(share)
    )
    assert contents.areas == ["tiny", "昆明"]
    assert contents.left_out == ()
    assert seen == sorted(seen)
    assert seen[-1] > 0.5
    restored = tmp_path / "back"
    restore_backup(tmp_path / name, restored)
    assert files(restored) == files(root)
    assert find_key(open_database(restored), written) == made
    folders = AreaFolders(restored)
    assert [upkeep.examine(folders, area) for area in folders.areas()] == [[], []]
    assert not list(tmp_path.glob(f"{ASIDE}*"))


@pytest.mark.parametrize("name", SHAPES)
def test_a_damaged_backup_restores_nothing(root: Path, tmp_path: Path, name: str) -> None:
    make_backup(root, tmp_path / name, database(root))
    victim = tmp_path / name
    if victim.is_dir():
        victim = next(victim.rglob("policy.json"))
    spoiled = bytearray(victim.read_bytes())
    spoiled[len(spoiled) // 2] ^= 1
    victim.write_bytes(spoiled)
    with pytest.raises(BackupError) as refused:
        restore_backup(tmp_path / name, tmp_path / "back")
    assert refused.value.key == "backup_damaged"
    assert not (tmp_path / "back").exists()
    assert not list(tmp_path.glob(f"{ASIDE}*"))


def test_a_missing_file_and_a_cut_file_are_found(root: Path, tmp_path: Path) -> None:
    make_backup(root, tmp_path / "copy", database(root))
    next((tmp_path / "copy").rglob("manifest.json")).unlink()
    with pytest.raises(BackupError, match="manifest"):
        restore_backup(tmp_path / "copy", tmp_path / "back")
    make_backup(root, tmp_path / "copy.tar", database(root))
    whole = (tmp_path / "copy.tar").read_bytes()
    for most in (0, 700, len(whole) // 2, len(whole) - 12_000):
        (tmp_path / "cut.tar").write_bytes(whole[:most])
        with pytest.raises(BackupError):
            restore_backup(tmp_path / "cut.tar", tmp_path / "back")
        assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/out", "a/../../out", "a\\..\\out", "a\0b", "", ".", "c:/out", NAME, "a//b"],
)
def test_a_backup_puts_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    entry = {"size": 1, "sha256": "0" * 64}
    told = {"format": 1, "made": "", "version": "", "left_out": [], "files": {name: entry}}
    with pytest.raises(BackupError) as refused:
        read_contents(io.BytesIO(json.dumps(told).encode()))
    assert refused.value.key == "backup_none"


def test_a_tar_with_more_than_its_list_says(root: Path, tmp_path: Path) -> None:
    make_backup(root, tmp_path / "copy.tar", None)
    with tarfile.open(tmp_path / "copy.tar", "a") as tar:
        for name, kind in (("../out", tarfile.REGTYPE), ("tiny/extra", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    restore_backup(tmp_path / "copy.tar", tmp_path / "back")
    assert files(tmp_path / "back") == files(root)
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(root: Path, tmp_path: Path) -> None:
    make_backup(root, tmp_path / "copy", None)
    before = files(tmp_path)
    for refused, key in (
        (lambda: make_backup(root, tmp_path / "copy", None), "backup_there"),
        (lambda: make_backup(root, root / "copy", None), "backup_inside"),
        (lambda: make_backup(root, tmp_path / "no" / "copy", None), "backup_no_folder"),
        (lambda: restore_backup(tmp_path / "copy", root), "restore_not_empty"),
        (lambda: restore_backup(root, tmp_path / "x"), "backup_none"),
        (lambda: restore_backup(tmp_path / "no", tmp_path / "x"), "backup_none"),
    ):
        with pytest.raises(BackupError) as told:
            refused()
        assert told.value.key == key
    assert files(tmp_path) == before
    (tmp_path / "empty").mkdir()
    restore_backup(tmp_path / "copy", tmp_path / "empty")
    assert files(tmp_path / "empty") == files(root)


def test_what_is_damaged_is_left_out_and_said(root: Path, tmp_path: Path) -> None:
    (run,) = AreaFolders(root).runs("tiny")
    home = root / "tiny" / "runs"
    other = run[:-8] + "00000000"
    shutil.copytree(home / run, home / other)  # named after what it does not hold
    (root / "tiny" / "current").write_text(other, "utf-8")
    (root / "昆明" / "runs" / run / "policy.json").write_text("?", "utf-8")
    contents = make_backup(root, tmp_path / "copy", database(root))
    assert {(one.key, *one.params.values()) for one in contents.left_out} == {
        ("backup_left_run", "tiny", other),
        ("backup_pointed", "tiny", run),
        ("backup_left_run", "昆明", run),
        ("backup_left_area", "昆明"),
    }
    restore_backup(tmp_path / "copy", tmp_path / "back")
    assert AreaFolders(tmp_path / "back").areas() == ["tiny"]
    assert upkeep.examine(AreaFolders(tmp_path / "back"), "tiny") == []


def test_a_run_removed_meanwhile_is_copied_whole(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = copying._Copy._put

    def remove_then_put(self: copying._Copy, name: str, *rest: object) -> object:
        if name.startswith("tiny/runs/"):
            shutil.rmtree(root / "tiny" / "runs", ignore_errors=True)
        return put(self, name, *rest)  # type: ignore[arg-type]

    before = files(root)
    monkeypatch.setattr(copying._Copy, "_put", remove_then_put)
    make_backup(root, tmp_path / "copy", None)
    restore_backup(tmp_path / "copy", tmp_path / "back")
    assert files(tmp_path / "back") == before


def test_the_database_is_copied_while_it_is_written(root: Path, tmp_path: Path) -> None:
    engine, stop = open_database(root), threading.Event()

    def write() -> None:
        while not stop.is_set():
            add_key(engine, "a", "viewer", None, "test")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for k in range(3):
            make_backup(root, tmp_path / f"c{k}", database(root))
    finally:
        stop.set()
        writer.join()
    counts = []
    for k in range(3):
        restore_backup(tmp_path / f"c{k}", tmp_path / f"b{k}")
        counts.append(len(list_keys(open_database(tmp_path / f"b{k}"))))
    assert counts == sorted(counts)
    assert counts[-1] <= len(list_keys(engine))


def test_a_damaged_database_is_no_backup(root: Path, tmp_path: Path) -> None:
    database(root).write_bytes(b"SQLite format 3\0" + b"?" * 5_000)
    with pytest.raises(BackupError) as refused:
        make_backup(root, tmp_path / "copy", database(root))
    assert refused.value.key == "backup_database"
    assert not (tmp_path / "copy").exists()


def test_a_full_disk_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(root, tmp_path / "whole", None)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for doing, key in (
        (lambda: make_backup(root, tmp_path / "copy", None), "backup_unwritable"),
        (lambda: make_backup(root, tmp_path / "copy.tar", None), "backup_unwritable"),
        (lambda: restore_backup(tmp_path / "whole", tmp_path / "back"), "restore_unwritable"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", full)
            with pytest.raises(BackupError, match="No space left") as told:
                doing()
        assert told.value.key == key
        assert {path.name for path in tmp_path.iterdir()} == {"ws", "whole"}


def test_room_is_asked_for_first(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(BackupError) as told:
        make_backup(root, tmp_path / "copy", None)
    assert told.value.key == "backup_no_room"


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from lifecircle.analysis.results import upkeep
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.service.backup.contents import ASIDE, DATABASE, NAME
from lifecircle.service.backup.copying import make_backup
from lifecircle.service.backup.restoring import restore_backup

root, there = Path(sys.argv[1]), Path(sys.argv[2])
make_backup(root, there / "whole", root / DATABASE)
os.fsync = lambda _: None
upkeep.time.time = lambda t=upkeep.time.time: t() + 5  # a lock counts from its second second

def die_at(step, doing):
    child = os.fork()
    if child == 0:
        left = [step]
        def counted(handle):  # the process dies, not the machine: nothing need reach the disk
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        os.fsync = counted
        doing()
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0

killed = 0
for name, doing in (
    ("copy", lambda: make_backup(root, there / "copy", root / DATABASE)),
    ("copy.tar", lambda: make_backup(root, there / "copy.tar", root / DATABASE)),
    ("back", lambda: restore_backup(there / "whole", there / "back")),
):
    made = there / name
    for step in (0, 1, 30, 70, 72, 74, 999):
        died = die_at(step, doing)
        killed += died
        if made.exists():
            if name != "back":
                restore_backup(made, there / "checked")
                checked = there / "checked"
            else:
                checked = made
            folders = AreaFolders(checked)
            assert folders.areas() == ["tiny", "昆明"], (name, step)
            assert not any(upkeep.examine(folders, one) for one in folders.areas())
            shutil.rmtree(checked)
            if made.is_dir():
                shutil.rmtree(made)
            made.unlink(missing_ok=True)
        else:
            assert died, (name, step)
upkeep.sweep(there, ASIDE)
assert {one.name for one in there.iterdir()} == {"whole"}, list(there.iterdir())
print(killed)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as Unix does")
def test_killed_at_any_moment_there_is_all_of_it_or_nothing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(tmp_path / "there")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 9


def test_into_a_folder_that_cannot_be_replaced(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(root, tmp_path / "copy", database(root))
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "lost+found").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda _: True)
    restore_backup(tmp_path / "copy", mounted)
    assert files(mounted) == files(root)
    assert not list(mounted.glob(f"{ASIDE}*"))


# ---- the commands ------------------------------------------------------------------------


def said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, [*words, "--lang", "en"])
    if isinstance(done.exception, BackupError):
        return done.exception.exit_code, done.exception.text("en")
    return done.exit_code, done.output


def test_the_commands_and_doctor(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = ("--workspace", str(root))
    shutil.rmtree(root / "tiny" / ".tmp-0")
    code, told = said("backup", str(tmp_path / "b.tar"), *ws)
    assert code == 0
    assert "2 areas" in told
    code, told = said("restore", str(tmp_path / "b.tar"), *ws)
    assert code == 2
    assert "--into" in told
    assert said("restore", str(tmp_path / "b.tar"), "--into", str(tmp_path / "new"), *ws)[0] == 0
    doctors = [said("doctor", "--workspace", str(one)) for one in (root, tmp_path / "new")]
    assert doctors[0] == doctors[1]
    assert doctors[0][0] == 0
    (tmp_path / "new" / DATABASE).write_bytes(b"?" * 5_000)
    assert said("doctor", "--workspace", str(tmp_path / "new"))[0] == 2
    monkeypatch.setenv("LIFECIRCLE_DATABASE", "postgresql://someone:secret@db/x")
    code, told = said("backup", str(tmp_path / "c"), *ws)
    assert code == 2
    assert "pg_dump" in told
    assert "secret" not in told
    code, told = said("backup", str(tmp_path / "c"), "--without-database", *ws)
    assert code == 0
    assert "not in this backup" in told


def test_what_was_left_out_is_an_exit_code(root: Path, tmp_path: Path) -> None:
    (run,) = AreaFolders(root).runs("昆明")
    (root / "昆明" / "runs" / run / "policy.json").write_text("?", "utf-8")
    code, told = said("backup", str(tmp_path / "b"), "--workspace", str(root))
    assert code == 2
    assert "昆明" in told
    assert (tmp_path / "b" / NAME).is_file()
