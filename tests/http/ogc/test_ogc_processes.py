"""OGC API Processes: nobody from elsewhere sees or orders jobs."""

from __future__ import annotations

from starlette.testclient import TestClient

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
