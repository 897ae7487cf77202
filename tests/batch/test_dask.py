"""A batch through a scheduler whose connection is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from lifecircle.service.batch import runners
from lifecircle.service.batch.cities import City
from lifecircle.service.batch.records import Record
from lifecircle.service.batch.runners import Dask
from lifecircle.service.batch.work import Task, task_from
from lifecircle.service.errors import BatchUnfinishedError
from lifecircle.service.terminal.batch import tell_lost

GO_ON = threading.Event()
BUILT: list[tuple[str, bool]] = []


def built(text: str) -> Record:
    """Stands for the work of a city: all but the first wait until they may go on."""
    task = task_from(text)
    BUILT.append((task.name, task.resume))
    if task.name != "t000":
        GO_ON.wait(30)
    return Record(task.name, "", "done")


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A scheduler and a worker in this process, reached by sockets as from elsewhere."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address=None,
    ) as made:  # fmt: skip
        yield made


def tasks(count: int, tmp_path: Path) -> list[Task]:
    return [
        Task(f"t{i:03}", City(osm="x"), str(tmp_path), "2026-01-01", {}, False)
        for i in range(count)
    ]


def cut_off(cluster: Any) -> None:
    """Break the connection of every client off, as a network does."""
    for comm in [*cluster.scheduler.client_comms.values()]:
        comm.comm.abort()


def test_a_connection_that_is_lost_is_made_anew_and_every_city_answers_once(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "run_city", built)
    GO_ON.clear()
    BUILT.clear()
    times: list[int] = []

    def lost(time: int) -> None:
        times.append(time)
        GO_ON.set()

    most = 0
    found: list[str] = []
    for record in Dask(1, cluster.scheduler_address, lost).records(tasks(150, tmp_path)):
        found.append(record.city)
        most = max(most, len(cluster.scheduler.tasks))
        if len(found) == 1:
            cluster.loop.add_callback(cut_off, cluster)
    assert times == [1]
    assert sorted(found) == [f"t{i:03}" for i in range(150)]
    assert most <= 2 * 64  # those of both connections, never all
    resumed = {name for name, resume in BUILT if resume}
    assert "t149" not in resumed  # it was not asked for before
    assert "t063" in resumed


def test_a_scheduler_that_stays_away_ends_the_batch_with_its_reason(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "run_city", built)
    monkeypatch.setattr(runners, "_NEXT_WAIT_S", 0.5)
    monkeypatch.setattr(runners, "_SETTLE_S", 0.2)
    GO_ON.clear()
    times: list[int] = []
    work = Dask(1, cluster.scheduler_address, times.append).records(tasks(3, tmp_path))
    assert next(work).city == "t000"
    GO_ON.set()
    cluster.close()
    with pytest.raises(BatchUnfinishedError, match="--resume"):
        list(work)
    assert times == [1]


def test_a_connection_that_closes_while_cities_are_handed_out_is_a_lost_one(
    cluster: Any, tmp_path: Path
) -> None:
    asked = {task.title: task for task in tasks(2, tmp_path)}
    with distributed.Client(cluster.scheduler_address) as client:
        client.sync(client.rpc.close)
        with pytest.raises(runners._ConnectionLostError, match="closed"):
            next(runners._answers(client, asked, set()))


def test_a_fault_of_another_kind_is_no_lost_connection(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(_text: str) -> Record:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(runners, "run_city", strange)
    asked = {task.title: task for task in tasks(1, tmp_path)}
    with (
        distributed.Client(cluster.scheduler_address) as client,
        pytest.raises(RuntimeError, match="of our own"),
    ):
        next(runners._answers(client, asked, set()))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_lost_connection_is_told(lang: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tell_lost(2, lang)
    assert "2" in capsys.readouterr().err
