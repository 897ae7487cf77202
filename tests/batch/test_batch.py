"""Cities built as a batch: the same runs whoever works on them, whatever dies meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import psutil
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from openpyxl import load_workbook

from lifecircle.service.batch import children, summary
from lifecircle.service.batch.cities import Plan, read_plan
from lifecircle.service.batch.page import SCRIPTS, Worst, add_worst, batch_page
from lifecircle.service.batch.records import Record, Records
from lifecircle.service.batch.run import run_batch
from lifecircle.service.batch.runners import Here, Processes
from lifecircle.service.batch.summary import write_summary
from tests.batch.towns import write_plan, write_town
from tests.command.run import lifecircle
from tests.worlds.made_once import made_once


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two towns: in the second the shop stands at the far end; built here, one after the other."""

    def build(folder: Path) -> None:
        plan = write_plan(
            folder,
            write_town(folder, "near"),
            write_town(folder, "far", residents=50, shop_m=1900),
        )
        list(run_batch(read_plan(plan), folder / "ws", Here()))

    folder, _ = made_once(tmp_path_factory, "batch-towns", build)
    return folder


def contents(workspace: Path) -> dict[str, str]:
    """Digest of every file of every current run, but of those that hold the time."""
    found = {}
    for file in sorted(workspace.glob("*/runs/*/*")):
        if file.name != "manifest.json":
            name = f"{file.parts[-4]}/{file.name}"
            found[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def of(records: list[Record]) -> dict[str, Record]:
    return {record.city: record for record in records}


def test_the_summary_holds_what_each_city_says(towns: Path, tmp_path: Path) -> None:
    plan = read_plan(towns / "cities.toml")
    records = list(run_batch(plan, towns / "ws", Here(), resume=True))
    assert {name: (r.state, r.again) for name, r in of(records).items()} == {
        "near": ("done", True), "far": ("done", True),
    }  # fmt: skip
    files = write_summary(records, towns / "ws", tmp_path / "out", "zh")
    assert [file.name for file in files] == [
        "cities.parquet", "units.parquet", "summary.xlsx", "index.zh.html", "index.en.html",
    ]  # fmt: skip
    cities = pd.read_parquet(tmp_path / "out" / "cities.parquet")
    pharmacy = cities[cities["id"] == "pharmacy"].set_index("city")
    # 15 minutes are 1,000 m: of 1:2 residents the first third near the shop, then the others
    assert pharmacy.loc["near", ["residents", "covered"]].tolist() == [300, 100]
    assert pharmacy.loc["far", ["residents", "covered"]].tolist() == [150, 100]
    assert pharmacy["P"].round(6).to_dict() == {"far": 0.666667, "near": 0.333333}
    assert cities[cities["id"] == "park"]["P"].isna().all()
    units = gpd.read_parquet(tmp_path / "out" / "units.parquet")
    assert set(units["city"]) == {"near", "far"}
    assert units["pharmacy_covered"].sum() == 200
    assert units.crs.to_epsg() == 4326
    book = load_workbook(tmp_path / "out" / "summary.xlsx", read_only=True)
    assert [row[0].value for row in book.worksheets[0].iter_rows()] == ["城市", "far", "near"]
    assert ("药店", "near", "全区", 1 / 3, 200) in [*book["缺口最大的单元"].values]
    assert [row[0] for row in book["单元"].values] == ["city", "far", "near"]
    with pytest.MonkeyPatch.context() as patch:  # as with the units of a country
        patch.setattr(summary, "MOST_CELLS", 10)
        write_summary(records, towns / "ws", tmp_path / "many", "zh")
    book = load_workbook(tmp_path / "many" / "summary.xlsx", read_only=True)
    ((told,),) = book["单元"].values
    assert "单元共 2 个" in told and "units.parquet" in told
    assert len(gpd.read_parquet(tmp_path / "many" / "units.parquet")) == 2


def test_processes_give_the_same_bytes_and_what_changed_is_built_anew(
    towns: Path, tmp_path: Path
) -> None:
    plan = write_plan(
        tmp_path, write_town(tmp_path, "near"),
        write_town(tmp_path, "far", residents=50, shop_m=1900),
    )  # fmt: skip
    Records(tmp_path / "ws").day(anew=True)
    first = of(list(run_batch(read_plan(plan), tmp_path / "ws", Processes(2))))
    assert {record.state for record in first.values()} == {"done"}
    assert all(record.peak_mb > 50 for record in first.values())
    assert contents(tmp_path / "ws") == contents(towns / "ws")
    write_town(tmp_path, "near", residents=70)
    again = of(list(run_batch(read_plan(plan), tmp_path / "ws", Processes(2), resume=True)))
    assert (again["far"].again, again["near"].again) == (True, False)
    assert again["near"].residents == 210


def test_limits_stop_one_city_and_no_other(towns: Path, tmp_path: Path) -> None:
    plan = read_plan(towns / "cities.toml")
    near = plan.cities["near"]
    small = Plan(
        {
            "late": replace(near, timeout_minutes=0.0005, retries=2),
            "big": replace(near, memory_gb=0.05, retries=0),
            "wrong": replace(near, datum="wgs85", retries=5),
            "far": plan.cities["far"],
        }
    )
    found = of(list(run_batch(small, tmp_path / "ws", Processes(2))))
    assert {name: record.state for name, record in found.items()} == {
        "late": "failed", "big": "failed", "wrong": "failed", "far": "done",
    }  # fmt: skip
    assert (found["late"].died, found["late"].attempts) == (True, 3)
    assert (found["big"].died, found["big"].attempts) == (True, 1)
    assert (found["wrong"].died, found["wrong"].attempts) == (False, 1)
    assert found["wrong"].error is not None
    assert "wgs85" in found["wrong"].error["zh"]
    assert not [*(tmp_path / "ws").glob("late/runs/*")]


def test_a_limit_of_memory_is_held_where_all_is_done_here(towns: Path, tmp_path: Path) -> None:
    near = read_plan(towns / "cities.toml").cities["near"]
    most = replace(near, memory_gb=0.05, retries=0)
    plan = Plan({"big": most, "roomy": replace(near, memory_gb=4.0), "near": near})
    found = of(list(run_batch(plan, tmp_path / "ws", Here())))
    assert {name: record.state for name, record in found.items()} == {
        "big": "failed", "roomy": "done", "near": "done",
    }  # fmt: skip
    assert found["big"].died
    assert "memory_gb" in (found["big"].error or {})["en"]
    assert {name: record.peak_mb > 0 for name, record in found.items() if name != "big"} == {
        "roomy": True, "near": False,  # only what has a limit is a process of its own
    }  # fmt: skip


def test_a_batch_that_is_called_off_leaves_no_process_and_begins_nothing_more(
    towns: Path, tmp_path: Path
) -> None:
    near = read_plan(towns / "cities.toml").cities["near"]
    plan = Plan({f"t{i}": replace(near, timeout_minutes=5) for i in range(8)})
    work = run_batch(plan, tmp_path / "ws", Processes(2))
    first = next(work)
    assert isinstance(work, Generator)
    work.close()  # as Ctrl-C does
    kept = {file.stem for file in (tmp_path / "ws" / ".batch").glob("*.json")}
    assert first.city in kept
    assert len(kept) < len(plan.cities)
    assert not [*(tmp_path / "ws" / ".batch").glob(".*.answer")]
    again = list(run_batch(plan, tmp_path / "ws", Processes(2), resume=True))
    assert {record.state for record in again} == {"done"}
    assert {record.city for record in again if record.again} == kept


def test_work_whose_server_dies_is_begun_anew(towns: Path, tmp_path: Path) -> None:
    plan = read_plan(towns / "cities.toml").only(towns / "cities.toml", ("near",))
    over = threading.Event()
    killed: list[int] = []

    def kill_server() -> None:
        while not over.wait(0.002) and not killed:
            for one in psutil.Process().children():
                if one.children() and "serve" in one.cmdline():
                    one.kill()
                    killed.append(one.pid)

    killer = threading.Thread(target=kill_server)
    killer.start()
    (record,) = run_batch(plan, tmp_path / "ws", Processes(1))
    over.set()
    killer.join()
    assert len(killed) == 1
    assert (record.state, record.attempts) == ("done", 2)
    assert contents(tmp_path / "ws").items() <= contents(towns / "ws").items()


def test_where_no_copies_are_made_each_city_has_a_process_that_starts_anew(
    towns: Path, tmp_path: Path
) -> None:
    plan = read_plan(towns / "cities.toml").only(towns / "cities.toml", ("near",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(children.platform, "system", lambda: "Darwin")
        (record,) = run_batch(plan, tmp_path / "ws", Processes(1))
        ended = children.begin_child("{}", tmp_path / "answer", tmp_path / "log")
        ended.stop()
    assert (record.state, record.died) == ("done", False)
    assert contents(tmp_path / "ws").items() <= contents(towns / "ws").items()
    assert ended.wait(0) == -signal.SIGKILL


def test_what_an_earlier_try_said_is_not_told_of_one_that_dies_without_a_word(
    towns: Path, tmp_path: Path
) -> None:
    class Gone:
        """A process that died with its server, before it had a word to say."""

        def begun(self) -> None:
            pass

        def wait(self, seconds: float) -> int:
            return -signal.SIGTERM

        def stop(self) -> None:
            pass

    plan = read_plan(towns / "cities.toml").only(towns / "cities.toml", ("near",))
    said = tmp_path / "ws" / ".batch" / "near.log"
    said.parent.mkdir(parents=True)
    said.write_text("an earlier fault", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lifecircle.service.batch.children.begin_child", lambda *_: Gone())
        (record,) = run_batch(plan, tmp_path / "ws", Processes(1))
    assert record.died
    assert "SIGTERM" in (record.error or {})["en"]
    assert "an earlier fault" not in (record.error or {})["en"]


def test_a_workspace_that_is_full_fails_the_city_and_not_the_batch(
    towns: Path, tmp_path: Path
) -> None:
    plan = read_plan(towns / "cities.toml")
    full = OSError(errno.ENOSPC, "No space left on device", "/x/near.json")

    def keep(self: Records, record: Record) -> Record:
        if record.city == "near":
            raise full
        return record

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Records, "keep", keep)
        found = of(list(run_batch(plan, tmp_path / "ws", Here())))
    assert {name: record.state for name, record in found.items()} == {
        "near": "failed", "far": "done",
    }  # fmt: skip
    assert "No space left on device" in (found["near"].error or {})["zh"]


def test_dask_loses_nothing_when_workers_die(towns: Path, tmp_path: Path) -> None:
    tables = [write_town(tmp_path, f"t{i}", residents=10 + i) for i in range(2)]
    plan = write_plan(tmp_path, *tables)
    killed: list[int] = []
    over = threading.Event()

    def kill_one(parent: int) -> None:
        """Kill the first worker that has a city's process below it."""
        while not over.wait(0.05) and not killed:
            for one in psutil.Process(parent).children(recursive=True):
                try:
                    below = [c for c in one.children() if "one_city" in " ".join(c.cmdline())]
                    working = any(server.children() for server in below)
                    if working and one.pid != parent:
                        os.kill(one.pid, signal.SIGKILL)
                        killed.append(one.pid)
                        return
                except psutil.Error:
                    continue

    environment = os.environ | {"LIFECIRCLE_LANGUAGE": "en"}
    words = ["batch", plan, "--workspace", tmp_path / "ws", "--out", tmp_path / "out"]
    code = "import sys\nfrom lifecircle.service.cli import main\n"
    code += "if __name__ == '__main__': sys.exit(main())"
    script = tmp_path / "run.py"
    script.write_text(code, encoding="utf-8")
    command = [sys.executable, script, *words, "--runner", "dask", "--workers", "2"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    ) as process:  # fmt: skip
        killer = threading.Thread(target=kill_one, args=(process.pid,))
        killer.start()
        out, err = process.communicate(timeout=300)
        over.set()
        killer.join()
    assert process.returncode == 0, out + err
    assert len(killed) == 1
    cities = pd.read_parquet(tmp_path / "out" / "cities.parquet")
    assert cities[cities["id"] == "pharmacy"]["residents"].tolist() == [30, 33]
    assert "Traceback" not in out
    time.sleep(0.2)
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(p.info)]


def test_the_command_says_what_failed_and_goes_on(towns: Path, tmp_path: Path) -> None:
    text = (towns / "cities.toml").read_text(encoding="utf-8")
    bad = text.replace('"far-places.csv"', '"near.csv"')
    plan = towns / "bad.toml"
    plan.write_text(bad, encoding="utf-8")
    done = lifecircle(
        "batch", plan, "--runner", "here", "--out", tmp_path / "out", workspace=tmp_path / "ws",
        lang="zh",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "✗ far" in done.stdout
    assert "2 个城市中有 1 个失败" in done.stderr
    assert "near.csv" in (tmp_path / "out" / "index.zh.html").read_text(encoding="utf-8")


def test_what_a_type_needs_is_written_in_the_file_of_the_batch(tmp_path: Path) -> None:
    table = write_town(tmp_path, "near")
    places = tmp_path / "near-places.csv"
    places.write_text(places.read_text("utf-8").replace("pharmacy,", "chemists,"), "utf-8")
    (failed,) = run_batch(read_plan(write_plan(tmp_path, table)), tmp_path / "ws", Here())
    assert "(mapping, other_types)" in (failed.error or {})["en"]
    assert "（mapping, other_types）" in (failed.error or {})["zh"]
    words = tmp_path / "words.toml"
    words.write_text('[values.service]\npharmacy = ["chemists"]\n', encoding="utf-8")
    plan = write_plan(tmp_path, table, 'mapping = "words.toml"\n')
    (done,) = run_batch(read_plan(plan), tmp_path / "ws", Here())
    assert (done.state, done.residents) == ("done", 300)


def hostile() -> dict[str, Any]:
    """Figures of a city whose names are markup."""
    name = "</script><script>document.title='x'</script><b>街</b>"
    counts = {"residents": 10, "covered": 4, "not_covered": 6, "not_assessed": 0}
    reading = {"U": None, "P": 0.4, "L": None, "C": None}
    return {
        "area": "a", "run": "r", "title": {"zh": name, "en": name}, "residents": 10,
        "policy": {"id": "p", "digest": ""}, "shapes": [],
        "services": [
            {
                "service": "pharmacy", "title": {"zh": name, "en": name}, "minutes": 15,
                "by": "community", "total": counts | reading,
                "units": [{"code": "1", "name": name, **counts, **reading}],
            }
        ],
        "rows": [],
    }  # fmt: skip


def test_names_are_text_on_the_page() -> None:
    record = Record("a", "", "failed", error={"zh": "<b>x</b>", "en": "<b>x</b>"})
    worst: dict[str, Worst] = {}
    add_worst(worst, 0, hostile())
    page = batch_page({"a": record}, {"a": hostile()}, worst, "zh")
    assert page.count("</script>") == 1 + len(SCRIPTS)  # the figures, and our own
    assert "<b>x" not in page
    assert "<b>街" not in page


def test_runs_go_to_another_place_whole_and_are_named_last(towns: Path, tmp_path: Path) -> None:
    plan = read_plan(towns / "cities.toml")
    store = MemoryFileSystem()
    named: list[tuple[str, int]] = []
    pipe = store.pipe_file

    def watch(path: str, content: bytes) -> None:
        files = [one for one in store.find(path.rpartition("/")[0]) if not one.endswith("current")]
        named.append((path, len(files)))
        pipe(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", staticmethod(watch))
        for _ in range(2):  # the second time both are there and named
            list(run_batch(plan, towns / "ws", Here(), resume=True, runs_to="memory://batch/all"))
    for city in ("far", "near"):
        (run,) = (towns / "ws" / city / "runs").iterdir()
        assert store.cat_file(f"/batch/all/{city}/current").decode() == run.name
        there = store.find(f"/batch/all/{city}/runs/{run.name}", withdirs=False)
        here = sorted(file.relative_to(run).as_posix() for file in run.rglob("*") if file.is_file())
        assert [one.partition(f"{run.name}/")[2] for one in there] == here
        assert all(
            store.cat_file(f"/batch/all/{city}/runs/{run.name}/{name}") == (run / name).read_bytes()
            for name in here
        )
        assert (f"/batch/all/{city}/current", len(here)) in named
    assert len(named) == 2


def test_a_run_that_cannot_be_sent_is_built_all_the_same(towns: Path, tmp_path: Path) -> None:
    plan = read_plan(towns / "cities.toml").only(towns / "cities.toml", ("near",))
    taken = tmp_path / "taken"
    taken.write_text("a file where a folder is wanted", encoding="utf-8")
    (failed,) = run_batch(plan, towns / "ws", Here(), resume=True, runs_to=f"file://{taken}/all")
    assert failed.state == "failed"
    assert failed.error is not None
    assert "--resume" in failed.error["en"]
    (sent,) = run_batch(plan, towns / "ws", Here(), resume=True, runs_to=f"file://{tmp_path}/all")
    assert (sent.state, sent.again) == ("done", True)
    assert (tmp_path / "all" / "near" / "current").read_text("utf-8") == sent.run
