"""Jobs: whose turn it is, what stands in the database, and what becomes of processes that die."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.database.audit import Writer, history_of
from lifecircle.service.database.engine import Database
from lifecircle.service.errors import (
    JobNotDoneError,
    LifecircleError,
    MissingError,
    NotReadyError,
    RequestError,
    TooLargeError,
    TooManyError,
)
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.folders import JobFolders
from lifecircle.service.jobs.inbox import DAY_S, Inbox, Quotas, plain_name
from lifecircle.service.jobs.model import Job, choose_next
from lifecircle.service.jobs.processes import process_of
from lifecircle.service.jobs.records import begin_next, end_job
from lifecircle.service.jobs.worker import MOST_FAULTS, do_work, error_of
from lifecircle.service.settings import Settings
from tests.command.run import lifecircle

ME, YOU = Writer("王工"), Writer("李工")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def a_job(name: str, owner: str, state: str = "accepted", **other: Any) -> Job:
    made = Job(
        name, "siting", owner, "town", "zh", {}, "raw", name, "accepted",
        NOON + timedelta(minutes=int(name[1:])), None, None, None, None,
    )  # fmt: skip
    return replace(made, state=state, **other)


@pytest.mark.parametrize(
    ("live", "served", "places", "next_one"),
    [
        ([], {}, 1, None),
        ([a_job("j2", "a"), a_job("j1", "a")], {}, 1, "j1"),
        ([a_job("j1", "a", "running"), a_job("j2", "b")], {}, 1, None),
        # who has the fewest under way, though others ordered earlier
        ([a_job("j1", "a", "running"), a_job("j2", "a"), a_job("j9", "b")], {}, 2, "j9"),
        # who was served longest ago
        ([a_job("j1", "a"), a_job("j9", "b")], {"a": NOON}, 1, "j9"),
        ([a_job("j1", "a"), a_job("j9", "b")], {"a": NOON, "b": NOON + timedelta(1)}, 1, "j1"),
        # two builds of one area never at once; another area's build goes before
        (
            [
                a_job("j1", "a", "running", process="build"),
                a_job("j2", "a", process="build"),
                a_job("j3", "a", process="build", area="other"),
            ],
            {}, 2, "j3",
        ),
        (
            [a_job("j1", "a", "running", process="build"), a_job("j2", "a", process="build")],
            {}, 9, None,
        ),
    ],
)  # fmt: skip
def test_whose_turn_it_is(
    live: list[Job], served: dict[str, datetime], places: int, next_one: str | None
) -> None:
    found = choose_next(live, served, places)
    assert (found and found.id) == next_one


def test_nobody_waits_for_ever_behind_a_long_queue() -> None:
    live = [a_job(f"j{n}", "a") for n in range(20)] + [a_job("j20", "b"), a_job("j21", "c")]
    served: dict[str, datetime] = {}
    turns = []
    for turn in range(len(live)):
        found = choose_next(live, served, 1)
        assert found is not None
        turns.append(found.owner)
        served[found.owner] = NOON + timedelta(seconds=turn)
        live.remove(found)
    assert turns[:3] == ["a", "b", "c"]


# ---- orders, without any process --------------------------------------------------------------


@pytest.fixture
def place(town: Path, tmp_path: Path) -> Path:
    """A workspace of the test's own with the tiny city in it."""
    shutil.copytree(town, tmp_path, copy_function=os.link, dirs_exist_ok=True)
    return tmp_path


def desk(place: Path, **settings: Any) -> Jobs:
    told = Settings(workspace=place, **settings)
    return Jobs(Workspace(place), Database(place), told)


@pytest.fixture
def idle(place: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """A desk that takes orders while nobody does them."""
    jobs = desk(place, jobs_live=4, jobs_per_key=3)
    monkeypatch.setattr(jobs._workshop, "start", lambda: None)
    return jobs


def siting(area: str, **inputs: Any) -> Any:
    return process_of("siting")(area=area, service="health_centre", add=1, **inputs)


@pytest.fixture
def area(place: Path) -> str:
    return Workspace(place).areas()[0]


def test_the_same_order_is_one_job(idle: Jobs, area: str) -> None:
    first, new = idle.order(siting(area), "zh", ME)
    again, newer = idle.order(siting(area), "zh", YOU)
    other, newest = idle.order(siting(area), "en", ME)
    assert (new, newer, newest) == (True, False, True)
    assert first.id == again.id != other.id
    assert first.inputs["run"] == Workspace(idle.folders.root.parents[1]).current(area)
    assert [one["action"] for one in history_of(idle._database.engine(), f"job/{first.id}")] == [
        "job.add"
    ]


def test_a_full_queue_is_told_to_its_owner_first(idle: Jobs, area: str) -> None:
    for add in (1, 2, 3):
        idle.order(siting(area).model_copy(update={"add": add}), "zh", ME)
    with pytest.raises(TooManyError):
        idle.order(siting(area, target=0.5), "zh", ME)
    idle.order(siting(area, target=0.6), "zh", YOU)
    with pytest.raises(NotReadyError):
        idle.order(siting(area, target=0.7), "zh", YOU)
    assert len(idle._database.engine().connect().exec_driver_sql("select 1 from jobs").all()) == 4


def test_many_orders_at_once_are_one_job(idle: Jobs, area: str) -> None:
    found: list[str] = []

    def order() -> None:
        found.append(idle.order(siting(area), "zh", ME)[0].id)

    threads = [threading.Thread(target=order) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_of_two_who_end_a_job_one_has_done_it(idle: Jobs, area: str) -> None:
    job, _ = idle.order(siting(area), "zh", ME)
    engine = idle._database.engine()
    begun = begin_next(engine, 1, lambda _: True)
    assert begun is not None
    assert (begun.id, begun.state) == (job.id, "running")
    assert begin_next(engine, 1, lambda _: True) is None
    assert end_job(engine, job.id, "failed", error={})
    assert not end_job(engine, job.id, "successful")
    assert idle.find(job.id).state == "failed"


def test_what_waits_has_no_result_and_can_be_called_off(idle: Jobs, area: str) -> None:
    job, _ = idle.order(siting(area), "zh", ME)
    with pytest.raises(JobNotDoneError):
        idle.result(job.id)
    assert idle.dismiss(job.id, ME).state == "dismissed"
    assert not idle.folders.of(job.id).exists()
    assert begin_next(idle._database.engine(), 1, lambda _: True) is None
    with pytest.raises(MissingError):
        idle.result(job.id)
    assert idle.order(siting(area), "zh", ME)[1]


def test_what_is_not_there_is_refused_before_it_waits(idle: Jobs, area: str) -> None:
    build = process_of("build")
    wrong: list[Callable[[], Any]] = [
        lambda: siting("nowhere"),
        lambda: siting(area, run="r0"),
        lambda: siting("../../etc"),
        lambda: build(area="a/b", osm="0" * 24),
        lambda: build(area="fine", osm="0" * 24),
        lambda: build(area="fine", osm="0" * 24, graph="0" * 24),
        lambda: build(area="fine"),
        lambda: build(area="fine", osm="0" * 24, policy="/etc/passwd"),
    ]
    for make in wrong:
        with pytest.raises(LifecircleError):
            idle.order(make(), "zh", ME)
    for told in (
        {"osm": "../../../etc/passwd"},
        {"osm": "0" * 24, "surveyed": ["park:/etc/x.csv"]},
        {"osm": "0" * 24, "place": "Malta"},
    ):
        with pytest.raises(ValueError, match="validation error"):
            build.model_validate({"area": "fine", **told})


def test_what_a_dead_service_left_is_told_as_interrupted(idle: Jobs, area: str) -> None:
    job, _ = idle.order(siting(area), "zh", ME)
    begin_next(idle._database.engine(), 1, lambda _: True)
    idle._workshop._end_orphans()
    ended = idle.find(job.id)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error["en"]["key"] == "job_interrupted"


# ---- processes -----------------------------------------------------------------------------


@pytest.fixture
def busy(place: Path) -> Iterator[Jobs]:
    jobs = desk(place)
    yield jobs
    jobs.stop()


def until(there: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


def over(jobs: Jobs, identity: str) -> Job:
    return until(lambda: (job := jobs.find(identity)).state not in ("accepted", "running") and job)


def test_a_job_is_done_and_a_killed_one_is_told(busy: Jobs, area: str) -> None:
    good, _ = busy.order(siting(area), "zh", ME)
    killed, _ = busy.order(siting(area, minutes=7.0), "zh", ME)
    done = over(busy, good.id)
    assert done.state == "successful", done.error
    assert b'"proposals"' in busy.result(good.id)
    assert busy.folders.log_tail(good.id)
    assert not busy.order(siting(area), "zh", YOU)[1]  # it stands: not done again
    one = until(lambda: busy._workshop._under.get(killed.id))
    os.kill(one.process.pid, signal.SIGKILL)
    died = over(busy, killed.id)
    assert died.error is not None
    assert "SIGKILL" in died.error["en"]["detail"]


def test_what_is_refused_is_told_in_both_languages(place: Path, area: str) -> None:
    inputs = {"area": area, "service": "nothing", "add": 1}
    task = {"workspace": str(place), "lang": "zh", "process": "siting", "inputs": inputs}
    told = do_work(place, task)
    assert told["state"] == "failed"
    assert {told["error"][lang]["key"] for lang in ("zh", "en")} == {"unknown_service"}
    assert told["error"]["zh"]["detail"] != told["error"]["en"]["detail"]


def test_a_refused_file_is_told_as_a_page_tells_it() -> None:
    params = {"value": "clinics", "near": "-"}
    fault = Fault("input_service_unknown_row", "a.csv", 2, "type", params)
    assert "--other-types" in fault.text("en")  # for who uses the command
    told = error_of(InputError([fault] * 1_000))
    for lang, tick in (("zh", "勾选"), ("en", "tick")):
        assert len(told[lang]["faults"]) == MOST_FAULTS
        assert tick in told[lang]["faults"][0]["text"]
        assert "--" not in told[lang]["detail"]


def test_a_dismissed_job_is_dead_within_two_seconds(busy: Jobs, area: str) -> None:
    job, _ = busy.order(siting(area), "zh", ME)
    one = until(lambda: busy._workshop._under.get(job.id))
    began = time.monotonic()
    assert busy.dismiss(job.id, ME).state == "dismissed"
    assert time.monotonic() - began < 2.0
    assert not busy.folders.is_alive(job.id)
    assert one.process.poll() == -signal.SIGKILL


def test_stopping_the_service_ends_its_jobs(busy: Jobs, area: str) -> None:
    job, _ = busy.order(siting(area), "zh", ME)
    until(lambda: busy._workshop._under.get(job.id))
    busy.stop()
    ended = busy.find(job.id)
    assert ended.error is not None
    assert (ended.state, ended.error["zh"]["key"]) == ("failed", "job_interrupted")
    assert not busy.folders.is_alive(job.id)


# ---- the inbox -----------------------------------------------------------------------------

ROOM = Quotas(file_bytes=10, owner_bytes=15, all_bytes=25, files=4)


def sent(inbox: Inbox, name: str, content: bytes, owner: str = "a") -> Any:
    async def parts() -> AsyncIterator[bytes]:
        for sign in content:
            yield bytes([sign])

    return asyncio.run(inbox.take(name, owner, parts()))


def test_the_inbox_takes_what_fits(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, ROOM)
    kept = sent(inbox, "../../小学.CSV", b"1234567890")
    assert (kept.name, kept.size_bytes) == ("小学.CSV", 10)
    assert inbox.path(kept.id).read_bytes() == b"1234567890"
    assert inbox.path(kept.id).is_relative_to(inbox.folder / kept.id)
    with pytest.raises(TooLargeError):
        sent(inbox, "a.csv", b"12345678901", "b")
    with pytest.raises(TooManyError):  # of the owner
        sent(inbox, "a.csv", b"123456")
    sent(inbox, "b.csv", b"1234567890", "b")
    with pytest.raises(TooManyError):  # of all
        sent(inbox, "a.csv", b"123456", "c")
    for name, content in (("run.exe", b"1"), ("a.csv", b""), ("..", b"1"), ("a.csv/..", b"1")):
        with pytest.raises(RequestError):
            sent(inbox, name, content, "c")
    assert sorted(one.name for one in inbox.folder.iterdir()) == sorted(
        one.id for one in inbox.all()
    )
    for strange in ("..", "../jobs", "", "0" * 24, kept.id + "/.."):
        with pytest.raises(MissingError):
            inbox.path(strange)
        inbox.remove(strange)
    assert len(inbox.all()) == 2
    inbox.sweep(time.time() + DAY_S + 60, held=frozenset({kept.id}))
    assert [one.id for one in inbox.all()] == [kept.id]


@pytest.mark.parametrize(
    "name",
    ["a" * 10_000 + ".csv", "长" * 300 + ".xlsx", "x\udc80y.csv", "a\u202eb\n.csv", "C:\\a.csv"],
)
def test_any_name_can_be_a_file(name: str, tmp_path: Path) -> None:
    plain = plain_name(name)
    (tmp_path / plain).write_bytes(b"1")
    assert plain.endswith((".csv", ".xlsx"))
    assert plain.isprintable()


def test_a_log_tells_no_folders(tmp_path: Path) -> None:
    folders = JobFolders(tmp_path)
    folder = folders.of("ab12")
    folder.mkdir(parents=True)
    (folder / "log").write_text(
        '  File "/usr/lib/python3/x/deep.py", line 3\nkey postgresql://u:p@h/db\n'
    )
    assert folders.log_tail("ab12")[0] == '  File "deep.py", line 3'


def test_the_command_lists_shows_and_calls_off(idle: Jobs, place: Path, area: str) -> None:
    job, _ = idle.order(siting(area), "zh", ME)
    told = json.loads(lifecircle("jobs", "list", "--json", workspace=place).stdout)
    assert (told["count"], told["jobs"][0]["id"]) == (1, job.id)
    shown = lifecircle("jobs", "list", workspace=place, lang="zh").stdout
    assert f"{job.id}  siting  {area}  排队中  0%" in shown
    assert "王工" in shown
    assert lifecircle("jobs", "list", "--state", "running", workspace=place).stdout == ""
    gone = json.loads(lifecircle("jobs", "cancel", job.id, "--json", workspace=place).stdout)
    assert gone["state"] == "dismissed"
    history = history_of(idle._database.engine(), f"job/{job.id}")
    assert [one["action"] for one in history] == ["job.add", "job.dismiss"]
    assert history[-1]["actor"].startswith("command:")
    assert "called off" in lifecircle("jobs", "show", job.id, workspace=place).stdout
    for words, key in ((("show", "none"), "none"), (("cancel",), "lifecircle jobs list")):
        refused = lifecircle("jobs", *words, workspace=place)
        assert refused.returncode == 2
        assert key in refused.stderr
