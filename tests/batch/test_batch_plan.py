"""The file of a batch: what it takes, what it is refused for, when a city counts as done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.policy.faults import PolicyFileError
from lifecircle.analysis.provenance import sha256_of
from lifecircle.service.batch.cities import City, city_from, plain, read_plan, split_address
from lifecircle.service.batch.fetched import fetch, send, send_run
from lifecircle.service.batch.records import Record, Records, key_of
from lifecircle.service.batch.runners import runner_of
from lifecircle.service.batch.work import Task, request_of, task_from
from lifecircle.service.errors import BatchError
from tests.batch.towns import write_plan, write_town
from tests.command.run import lifecircle

DAY = date(2026, 11, 29)


def test_defaults_reach_every_city_and_paths_count_from_the_file(tmp_path: Path) -> None:
    own = write_town(tmp_path, "b") + 'datum = "gcj02"\ntimeout_minutes = 5\n'
    file = write_plan(tmp_path, write_town(tmp_path, "a"), own, defaults="memory_gb = 2.5")
    plan = read_plan(file)
    assert list(plan.cities) == ["a", "b"]
    first, last = plan.cities.values()
    assert (first.datum, last.datum) == ("wgs84", "gcj02")
    assert (first.memory_gb, last.memory_gb, last.timeout_minutes) == (2.5, 2.5, 5)
    assert first.osm == str(tmp_path / "a.osm")
    assert first.population == (str(tmp_path / "a.csv"),)
    task = Task("a", first, str(tmp_path), DAY.isoformat(), {}, resume=False)
    assert task_from(task.to_json()) == task
    request = request_of(task)
    assert (request.osm, request.today) == (tmp_path / "a.osm", DAY)
    assert request.title is not None
    assert request.title.zh == "a镇"


def test_a_city_goes_through_json(tmp_path: Path) -> None:
    city = City(osm="x", units=("a", "b"), memory_gb=3, calibrate=True)
    assert city_from(plain(city)) == city


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[cities.a]\nosmm = "x"', "Did you mean 'osm'?"),
        ("[cities.a]\nosm = 3", "cities.a.osm"),
        ("[cites.a]", "Did you mean 'cities'?"),
        ("", "cities"),
        ("[cities.a]\nzh = '甲'", "exactly one of osm, map, place and graph"),
        ('[cities.a]\nosm = "x.osm"\ngraph = "y"', "exactly one of osm, map, place and graph"),
        ('[cities.a]\nosm = "x.osm"\n[cities.b]\nosm = "y.osm"\nunits = ["z.gpkg"]', "3 files"),
        ('[cities."../a"]\nosm = "x.osm"', "../a"),
        ("[cities", "TOML"),
        ('[cities.a]\nosm = "plan.toml"\n[cities.a]\nosm = "plan.toml"', "twice"),
        ('[cities.A]\nosm = "plan.toml"\n[cities.a]\nosm = "plan.toml"', "one folder"),
        ("cities = 3", "docs/batch.md"),
        ("", "names no city"),
        ("[defaults]\nretries = 1\n[cities]", "names no city"),
        ('[cities.a]\nosm = "plan.toml"\nretries = "1"', "a number is wanted"),
        ("[cities.a]\nosm = 3", "a text in quotes is wanted"),
        ('[cities.a]\nosm = "plan.toml"\ncalibrate = "yes"', "true or false is wanted"),
        ('[cities.a]\nosm = "plan.toml"\ntimeout_minutes = 0', "cities.a.timeout_minutes: 0"),
        ('[cities.a]\nosm = "plan.toml"\ntimeout_minutes = nan', "nan is no limit"),
        ('[cities.a]\nosm = "plan.toml"\nmemory_gb = -2', "cities.a.memory_gb: -2"),
        ('[cities.a]\nosm = "plan.toml"\nmemory_gb = inf', "inf is no limit"),
        ('[cities.a]\nosm = "plan.toml"\nretries = -1', "cities.a.retries: -1"),
        ('[cities.a]\nosm = "plan.toml"\nparts = 100000000', "from 1 to 10000"),
        ('[cities.a]\nosm = "s3://b/x.osm"\n[digests]\n"s3://b/x.osm" = "abc"', "no SHA-256"),
        (f'[cities.a]\nosm = "s3://b/x"\n[digests]\n"s3://b/y" = "{"0" * 64}"', "no city names"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LifecircleError) as caught:
        read_plan(file)
    assert told in caught.value.text("en")
    assert caught.value.text("zh") != caught.value.text("en")
    assert caught.value.exit_code == 2


def test_a_fetched_list_may_be_of_one_service(tmp_path: Path) -> None:
    (tmp_path / "schools.csv").write_text("name,lon,lat\n", encoding="utf-8")
    address = f"file://{tmp_path}/schools.csv"
    assert split_address(f"{address}=primary_school") == (address, "primary_school")
    assert split_address("https://x.org/a.csv?key=b") == ("https://x.org/a.csv?key=b", None)
    table = f"{write_town(tmp_path, 'a')}".replace('"a-places.csv"', f'"{address}=primary_school"')
    digest = sha256_of(tmp_path / "schools.csv")
    plan = read_plan(write_plan(tmp_path, table, f'[digests]\n"{address}" = "{digest}"\n'))
    city = plan.cities["a"]
    request = request_of(
        Task("a", city, str(tmp_path), DAY.isoformat(), plan.digests, resume=False)
    )
    assert request.services == {"schools.csv": "primary_school"}
    assert request.facilities[0].parent.name == digest


def test_every_missing_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('[cities.a]\nosm = "x.osm"\nunits = ["u.gpkg", "v.gpkg"]', encoding="utf-8")
    with pytest.raises(BatchError) as caught:
        read_plan(file)
    for name in ("cities.a.osm: x.osm", "cities.a.units: u.gpkg", "cities.a.units: v.gpkg"):
        assert name in caught.value.text("zh")


def test_unknown_keys_of_the_defaults_are_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"defaults\.retry"):
        read_plan(write_plan(tmp_path, write_town(tmp_path, "a"), defaults="retry = 2"))


def test_only_some_cities(tmp_path: Path) -> None:
    file = write_plan(tmp_path, write_town(tmp_path, "a"), write_town(tmp_path, "b"))
    assert list(read_plan(file).only(file, ("b",)).cities) == ["b"]
    with pytest.raises(BatchError, match="no city 'c'"):
        read_plan(file).only(file, ("c",))


def test_the_key_is_of_bytes_and_options_and_not_of_limits(tmp_path: Path) -> None:
    city = read_plan(write_plan(tmp_path, write_town(tmp_path, "a"))).cities["a"]
    key = key_of("a", city, {}, DAY)
    assert key == key_of("a", replace(city, memory_gb=1, retries=9, timeout_minutes=1), {}, DAY)
    assert key != key_of("a", replace(city, accept_datum=True), {}, DAY)
    assert key != key_of("a", city, {}, date(2026, 11, 30))
    write_town(tmp_path, "a", residents=101)
    assert key != key_of("a", city, {}, DAY)


def test_a_record_counts_only_while_its_run_is_there(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.keep(Record("a", "k", "done", run="r1", residents=3))
    assert records.done("a", "k", tmp_path) is None
    run = tmp_path / "a" / "runs" / "r1"
    run.mkdir(parents=True)
    (run / "manifest.json").touch()
    records.figures("a").touch()
    found = records.done("a", "k", tmp_path)
    assert found is not None
    assert found.again
    assert records.done("a", "other", tmp_path) is None
    (records.folder / "a.json").write_text("{half", encoding="utf-8")
    assert records.of("a") is None


def test_the_day_is_kept_while_a_batch_is_resumed(tmp_path: Path) -> None:
    records = Records(tmp_path)
    (records.folder).mkdir()
    (records.folder / "day").write_text("2026-01-02", encoding="utf-8")
    assert records.day(anew=False) == date(2026, 1, 2)
    assert records.day(anew=True) != date(2026, 1, 2)


def test_what_is_fetched_is_what_was_meant(tmp_path: Path) -> None:
    source = tmp_path / "x.csv"
    source.write_text("lon", encoding="utf-8")
    address = f"file://{source}"
    kept = fetch(address, tmp_path / "kept")
    assert kept.read_text(encoding="utf-8") == "lon"
    digest = kept.parent.name
    source.unlink()
    assert fetch(address, tmp_path / "kept", digest) == kept
    with pytest.raises(BatchError, match="cannot be fetched"):
        fetch(address, tmp_path / "kept")
    source.write_text("lat", encoding="utf-8")
    with pytest.raises(BatchError, match="not what"):
        fetch(address, tmp_path / "kept", "0" * 64)
    assert not [*(tmp_path / "kept").glob(".*")]


def test_a_summary_goes_to_any_store(tmp_path: Path) -> None:
    held = fsspec.filesystem("memory")
    files = tmp_path / "a.xlsx", tmp_path / "b.html"
    for file, content in zip(files, (b"1", b"2"), strict=True):
        file.write_bytes(content)
    told = send(files, "memory://lifecircle/out/")
    assert told == ["memory://lifecircle/out/a.xlsx", "memory://lifecircle/out/b.html"]
    assert [held.cat(address) for address in told] == [b"1", b"2"]
    with pytest.raises(BatchError, match="cannot be written"):
        send(files, "nowhere://x")


def test_what_was_sent_of_a_run_is_not_sent_again(tmp_path: Path) -> None:
    run = tmp_path / "town" / "runs" / "r1"
    run.mkdir(parents=True)
    for name in ("a.npy", "b.npy", "c.npy"):
        (run / name).write_bytes(name.encode() * 9)
    sent: list[str] = []

    class Watched(MemoryFileSystem):
        """Notes what is put, and breaks off before the last file the first time."""

        cachable = False

        def put_file(self, lpath: str, rpath: str, **_: object) -> None:
            if len(sent) == 2:
                sent.append("broken off")
                raise ConnectionResetError
            sent.append(Path(lpath).name)
            self.pipe_file(rpath, Path(lpath).read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fsspec.core.url_to_fs", lambda _: (Watched(), "/store"))
        with pytest.raises(BatchError, match="Nobody answers there"):
            send_run(run, "watched://store")
        assert not Watched().exists("/store/town/current")
        assert send_run(run, "watched://store")
        assert not send_run(run, "watched://store")
    assert sent == ["a.npy", "b.npy", "broken off", "c.npy"]
    assert Watched().cat_file("/store/town/current") == b"r1"


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        (PermissionError("Forbidden"), "AWS_ACCESS_KEY_ID"),
        (FileNotFoundError("The specified bucket does not exist"), "make the bucket"),
        (TimeoutError(), "Nobody answers"),
        (ValueError("odd"), "--resume"),
    ],
)
def test_what_a_store_refuses_is_told_with_the_mend(fault: Exception, mend: str) -> None:
    class Buckets:
        """A store whose paths begin with a bucket, of which none may be made by itself."""

        protocol = "s3"

        def makedirs(self, path: str, **_: object) -> None:
            raise AssertionError(f"{path} is made")

        def put_file(self, lpath: str, rpath: str, **_: object) -> None:
            raise fault

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fsspec.core.url_to_fs", lambda _: (Buckets(), "bucket/out"))
        with pytest.raises(BatchError, match=mend) as caught:
            send([Path("a")], "s3://bucket/out")
    assert "{" not in caught.value.text("zh")


def test_runners_are_chosen_by_name(tmp_path: Path) -> None:
    assert type(runner_of(None, 2, None)).__name__ == "Processes"
    assert type(runner_of(None, 2, "tcp://x:1")).__name__ == "Dask"
    for name, workers, scheduler in (("spark", 1, None), (None, 0, None), ("here", 1, "tcp://x")):
        with pytest.raises(BatchError):
            runner_of(name, workers, scheduler)


def test_the_command_names_cities_plainly_and_takes_no_batch_without_workers(
    tmp_path: Path,
) -> None:
    plan = write_plan(tmp_path, write_town(tmp_path, "a"), write_town(tmp_path, "b"))
    known = lifecircle("batch", plan, "--only", "zz", workspace=tmp_path / "ws", lang="zh")
    assert known.returncode == 2
    assert "其中有：a、b。" in known.stderr
    nobody = lifecircle("batch", plan, "--workers", "0", workspace=tmp_path / "ws")
    assert nobody.returncode == 2
    assert "0" in nobody.stderr
    assert not (tmp_path / "ws").exists()
