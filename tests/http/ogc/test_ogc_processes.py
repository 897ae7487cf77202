"""OGC API Processes: nobody from elsewhere sees or orders jobs."""

from __future__ import annotations

from starlette.testclient import TestClient

from lifecircle.service.ogc.jobs import _log
from tests.http.ogc.requirements.processes import AREA, ASYNC, ordered


def test_nobody_else_sees_or_orders_jobs(at: TestClient) -> None:
    identity = ordered(at)
    elsewhere = {"X-Forwarded-For": "10.0.0.1"}
    foreign = {"Origin": "http://elsewhere.example"}
    for headers in (elsewhere, foreign):
        for path in ("/jobs", f"/jobs/{identity}", f"/jobs/{identity}/results"):
            assert at.get(path, headers=headers).status_code in (401, 403)
        assert at.delete(f"/jobs/{identity}", headers=headers).status_code in (401, 403)
        body = {"inputs": {"area": AREA, "service": "health_centre", "add": 2}}
        answer = at.post("/processes/siting/execution", json=body, headers={**ASYNC, **headers})
        assert answer.status_code in (401, 403)
    assert at.get(f"/jobs/{identity}").json()["status"] == "accepted"


def test_a_log_is_told_in_words() -> None:
    said = ["05:35:37 pipeline_step_tables", "05:35:39 input_faults (9)", "Fatal: no memory"]
    assert list(_log(said, "zh")) == ["05:35:37 读取表格", "Fatal: no memory"]
    assert list(_log(said, "en")) == ["05:35:37 reading tables", "Fatal: no memory"]
