"""Processes 1.0: jobs are ordered here and begun by nobody; how they run: `tests/jobs`."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.folders import RESULT
from lifecircle.service.jobs.records import begin_next, end_job
from lifecircle.service.jobs.workshop import failed
from tests.http.ogc.requirements.registry import of, requirement

NO = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
AREA = "tiny"
ASYNC = {"Prefer": "respond-async, wait=5"}
_other = itertools.count(1)


def desk(at: TestClient) -> Jobs:
    found: Jobs = at.app.state.jobs  # type: ignore[attr-defined]
    return found


def execute(at: TestClient, process: str, *, later: bool = False, **body: Any) -> Any:
    return at.post(f"/processes/{process}/execution", json=body, headers=ASYNC if later else {})


def ordered(at: TestClient, **body: Any) -> str:
    """A job that nobody else has ordered."""
    inputs = {"area": AREA, "service": "health_centre", "add": 1, "time_limit": next(_other)}
    answer = execute(at, "siting", later=True, inputs=inputs, **body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobID"])


def begun(at: TestClient, identity: str) -> str:
    engine = desk(at)._database.engine()
    while (job := begin_next(engine, 1_000, lambda _: True)) is not None and job.id != identity:
        pass
    return identity


def done(at: TestClient, identity: str) -> str:
    jobs = desk(at)
    begun(at, identity)
    folder = jobs.folders.of(identity)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULT).write_bytes(b'{"proposals":[]}')
    assert end_job(jobs._database.engine(), identity, "successful", told={"run": "r1"})
    return identity


P = "processes-1/1.0/req"


# ---- core ----------------------------------------------------------------------------------


@requirement(
    *of(
        P,
        "core/landingpage-op",
        "core/landingpage-success",
        "core/api-definition-op",
        "core/api-definition-success",
        "core/http",
    )
)
def landingpage_success(at: TestClient) -> None:
    links = {one["rel"]: one["href"] for one in at.get("/").json()["links"]}
    for rel in (
        "service-desc", "service-doc", "conformance",
        "http://www.opengis.net/def/rel/ogc/1.0/processes",
        "http://www.opengis.net/def/rel/ogc/1.0/job-list",
    ):  # fmt: skip
        assert at.get(links[rel]).status_code == 200, rel


@requirement(*of(P, "core/conformance-op", "core/conformance-success"))
def conformance_success(at: TestClient) -> None:
    told = at.get("/conformance").json()["conformsTo"]
    begin = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
    assert {one.removeprefix(begin) for one in told if one.startswith(begin)} == {
        "core", "json", "oas30", "job-list", "dismiss", "ogc-process-description",
    }  # fmt: skip


@requirement(
    *of(
        P,
        "core/process-list",
        "core/process-list-success",
        "core/pl-limit-definition",
        "core/pl-limit-response",
        "core/pl-links",
    )
)
def process_list(at: TestClient) -> None:
    whole = at.get("/processes").json()
    assert [one["id"] for one in whole["processes"]] == [
        "build", "siting", "catchments", "referral", "scenario", "robustness",
    ]  # fmt: skip
    for one in whole["processes"]:
        assert one["version"] and one["title"]
        assert at.get(one["links"][0]["href"]).json()["id"] == one["id"]
    told, page = [], at.get("/processes?limit=2").json()
    while True:
        told += [one["id"] for one in page["processes"]]
        ahead = [one["href"] for one in page["links"] if one["rel"] == "next"]
        if not ahead:
            break
        page = at.get(ahead[0]).json()
    assert told == [one["id"] for one in whole["processes"]]
    assert {at.get(f"/processes?limit={n}").status_code for n in ("0", "1001", "x", "-1")} == {400}
    assert at.get("/processes?nonsense=1").status_code == 400


@requirement(
    *of(
        P,
        "core/process",
        "core/process-success",
        "core/process-exception/no-such-process",
        "ogc-process-description/json-encoding",
        "ogc-process-description/inputs-def",
        "ogc-process-description/input-def",
        "ogc-process-description/outputs-def",
        "ogc-process-description/output-def",
        "ogc-process-description/input-mixed-type",
    )
)
def process_description(at: TestClient) -> None:
    for lang in ("zh", "en"):
        for one in at.get("/processes").json()["processes"]:
            told = at.get(f"/processes/{one['id']}", params={"lang": lang}).json()
            for name, described in told["inputs"].items():
                assert described["description"], (one["id"], name)
                assert described["schema"], name
                assert described["minOccurs"] in (0, 1)
                assert described["maxOccurs"] == "unbounded" or described["maxOccurs"] >= 1
                assert "$ref" not in str(described["schema"])
            assert told["outputs"]["result"]["schema"]["type"] == "object"
    catchments = at.get("/processes/catchments").json()["inputs"]
    assert len(catchments["minutes"]["schema"]["anyOf"]) == 2  # a number, or "none"
    assert catchments["area"]["minOccurs"] == 1
    missing = at.get("/processes/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, f"{NO}no-such-process")
    missing = execute(at, "nothing", inputs={})
    assert (missing.status_code, missing.json()["type"]) == (404, f"{NO}no-such-process")


@requirement(
    *of(
        P,
        "core/process-execute-op",
        "core/process-execute-request",
        "core/process-execute-default-execution-mode",
        "core/process-execute-sync-raw-value-one",
        "core/process-execute-sync-document",
        "core/process-execute-default-outputs",
    )
)
def execute_at_once(at: TestClient) -> None:
    inputs = {"area": AREA, "service": "health_centre", "draws": 2, "lists": False}
    asked = {name: value for name, value in inputs.items() if name != "area"}
    raw = execute(at, "robustness", inputs=inputs)
    assert raw.status_code == 200, raw.text
    same = at.get(f"/areas/{AREA}/robustness", params=asked).json()
    assert raw.json() == same
    whole = execute(at, "robustness", inputs=inputs, response="document")
    assert whole.json() == {"result": {"value": same, "mediaType": "application/json"}}
    assert execute(at, "robustness", inputs=inputs, outputs={"result": {}}).json() == same
    assert execute(at, "robustness", inputs=inputs, outputs={"other": {}}).status_code == 400
    assert execute(at, "robustness", inputs=inputs, response="x").status_code == 400


@requirement(
    *of(P, "core/process-execute-auto-execution-mode", "core/process-execute-success-async")
)
def execute_as_a_job(at: TestClient) -> None:
    inputs = {"area": AREA, "service": "health_centre"}
    answer = execute(at, "catchments", later=True, inputs=inputs)
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "respond-async"
    told = answer.json()
    assert told["type"] == "process"
    assert told["processID"] == "catchments"
    assert told["status"] == "accepted"
    assert at.get(answer.headers["location"]).json()["jobID"] == told["jobID"]
    again = execute(at, "catchments", later=True, inputs=inputs)
    assert again.headers["location"] == answer.headers["location"]


EDIT = {"op": "remove_facility", "id": "h1"}


EDITS: tuple[Any, ...] = (
    [EDIT],
    {"value": [EDIT]},
    {"value": {"edits": [EDIT]}, "mediaType": "application/json"},
    {"href": f"data:application/json,{quote(json.dumps([EDIT]))}"},
)


@requirement(
    *of(
        P,
        "core/process-execute-inputs",
        "core/process-execute-input-array",
        "core/process-execute-input-inline-object",
        "core/process-execute-input-mixed-type",
    )
)
def inputs_by_value_and_by_reference(at: TestClient) -> None:
    for edits in EDITS:
        answer = execute(at, "scenario", inputs={"area": {"value": AREA}, "edits": edits})
        assert answer.status_code == 200, answer.text
        assert answer.json()["edits"][0]["op"] == "remove_facility"


@requirement(*of(P, "core/process-execute-input-validation"))
def inputs_are_checked(at: TestClient) -> None:
    wrong: list[dict[str, Any]] = [
        {},
        {"area": AREA},
        {"area": AREA, "edits": 3},
        {"area": AREA, "edits": [EDIT], "minutes": -1},
        {"area": AREA, "edits": [EDIT], "minutes": 1e308},
        {"area": AREA, "edits": [EDIT], "nothing": 1},
        {"area": AREA, "edits": [EDIT], "parts": ["x"]},
        {"area": AREA, "edits": {"href": "http://127.0.0.1:1/x"}},
        {"area": AREA, "edits": {"href": "file:///etc/passwd"}},
        {"area": AREA, "edits": {"href": "data:application/json,["}},
        {"area": "<script>", "edits": [EDIT]},
        {"area": "../..", "edits": [EDIT]},
        {"area": "a" * 1_000, "edits": [EDIT]},
    ]
    for inputs in wrong:
        for later in (False, True):
            answer = execute(at, "scenario", later=later, inputs=inputs)
            assert answer.status_code in (400, 404), (inputs, answer.text)
            assert answer.json()["detail"]


@requirement(
    *of(
        P,
        "core/job",
        "core/job-success",
        "core/job-exception-no-such-job",
        "core/job-results-exception/no-such-job",
        "json/definition",
    )
)
def job(at: TestClient) -> None:
    identity = ordered(at)
    told = at.get(f"/jobs/{identity}")
    assert told.headers["content-type"] == "application/json"
    assert told.json()["status"] == "accepted"
    begun(at, identity)
    told = at.get(f"/jobs/{identity}")
    assert (told.json()["status"], told.json()["progress"]) == ("running", 0)
    for moment in ("created", "started", "updated"):
        assert datetime.fromisoformat(told.json()[moment]).tzinfo is not None
    for path in ("/jobs/nothing", "/jobs/nothing/results"):
        missing = at.get(path)
        assert (missing.status_code, missing.json()["type"]) == (404, f"{NO}no-such-job")
    assert at.delete("/jobs/nothing").json()["type"] == f"{NO}no-such-job"


@requirement(
    *of(
        P,
        "core/job-results",
        "core/job-results-async-raw-value-one",
        "core/job-results-async-document",
        "core/job-results-exception/results-not-ready",
        "core/job-results-failed",
    )
)
def job_results(at: TestClient) -> None:
    waiting = ordered(at)
    early = at.get(f"/jobs/{waiting}/results")
    assert (early.status_code, early.json()["type"]) == (404, f"{NO}result-not-ready")
    raw = done(at, ordered(at))
    assert at.get(f"/jobs/{raw}/results").json() == {"proposals": []}
    whole = done(at, ordered(at, response="document"))
    assert at.get(f"/jobs/{whole}/results").json()["result"]["value"] == {"proposals": []}
    links = {one["rel"]: one["href"] for one in at.get(f"/jobs/{raw}").json()["links"]}
    assert at.get(links["http://www.opengis.net/def/rel/ogc/1.0/results"]).status_code == 200
    bad = begun(at, ordered(at))
    error = failed("job_interrupted")["error"]
    end_job(desk(at)._database.engine(), bad, "failed", error=error)
    told = at.get(f"/jobs/{bad}/results?lang=en")
    assert (told.status_code, told.json()["key"]) == (500, "job_interrupted")
    assert at.get(f"/jobs/{bad}?lang=en").json()["message"].startswith("Interrupted")


# ---- job list, dismiss ---------------------------------------------------------------------


@requirement(
    *of(
        P,
        "job-list/job-list-op",
        "job-list/job-list-success",
        "job-list/type-definition",
        "job-list/type-response",
        "job-list/processID-definition",
        "job-list/processid-response",
        "job-list/status-definition",
        "job-list/status-response",
        "job-list/datetime-definition",
        "job-list/datetime-response",
        "job-list/duration-definition",
        "job-list/duration-response",
        "job-list/limit-definition",
        "job-list/limit-response",
        "job-list/links",
    )
)
def job_list(at: TestClient) -> None:
    over = done(at, ordered(at))
    waiting = ordered(at)

    def ids(**query: Any) -> list[str]:
        answer = at.get("/jobs", params={"limit": 1_000, **query})
        assert answer.status_code == 200, answer.text
        return [one["jobID"] for one in answer.json()["jobs"]]

    assert {waiting, over} <= set(ids()) == set(ids(type="process"))
    assert over in ids(status="successful") and waiting not in ids(status="successful")
    assert {waiting, over} <= set(ids(status=["successful", "accepted", "running"]))
    assert ids(processID="robustness") == []
    assert over in ids(processID=["siting", "build"])
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    assert {waiting, over} <= set(ids(datetime="2020-01-01T00:00:00Z/.."))
    assert ids(datetime="../2020-01-01T00:00:00Z") == []
    assert ids(datetime=f"2020-01-01T00:00:00Z/{now}") == ids(datetime=f"../{now}")
    assert over in ids(maxDuration=60) and waiting not in ids(maxDuration=60)
    assert over not in ids(minDuration=60)
    whole, page = ids(), at.get("/jobs?limit=1").json()
    assert [one["jobID"] for one in page["jobs"]] == whole[:1]
    (ahead,) = [one["href"] for one in page["links"] if one["rel"] == "next"]
    assert [one["jobID"] for one in at.get(ahead).json()["jobs"]] == whole[1:2]
    for query in (
        "limit=0", "limit=x", "status=x", "type=x", "datetime=x", "datetime=../..",
        "datetime=0.5", "datetime=2021-01-01T00:00:00Z/2020-01-01T00:00:00Z", "minDuration=-1",
        "maxDuration=nan", "x=1", "offset=99999999999999999999",
    ):  # fmt: skip
        assert at.get(f"/jobs?{query}").status_code == 400, query


@requirement(*of(P, "dismiss/job-dismiss-op", "dismiss/job-dismiss-success"))
def job_dismiss(at: TestClient) -> None:
    for identity in (ordered(at), begun(at, ordered(at)), done(at, ordered(at))):
        answer = at.delete(f"/jobs/{identity}")
        assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
        assert at.get(f"/jobs/{identity}").json()["status"] == "dismissed"
        assert at.get(f"/jobs/{identity}/results").status_code == 404
        assert not desk(at).folders.of(identity).exists()


# ---- OpenAPI 3.0 ---------------------------------------------------------------------------


@requirement(*of(P, "oas30/completeness", "oas30/oas-definition-1"))
def oas30(at: TestClient) -> None:
    paths = at.get("/api").json()["paths"]
    for path, methods in {
        "/processes": {"get"}, "/processes/{process}": {"get"},
        "/processes/{process}/execution": {"post"}, "/jobs": {"get"},
        "/jobs/{job}": {"get", "delete"}, "/jobs/{job}/results": {"get"},
    }.items():  # fmt: skip
        assert set(paths[path]) == methods
        for operation in paths[path].values():
            assert operation["summary"] and operation["description"]
            assert all(one["description"] for one in operation.get("parameters", ()))
