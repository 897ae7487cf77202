"""The examples of docs/examples/serving say what the service knows, and parse where a parser is."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lifecircle.service.observing.metrics import Metrics
from lifecircle.service.settings import FROM_ENVIRONMENT, PREFIX, settings_from

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples" / "serving"
UNITS = ("lifecircle.service", "lifecircle-backup.service", "lifecircle-backup.timer")


def test_compose_names_what_it_uses() -> None:
    told = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
    services = told["services"]
    assert set(services) == {"lifecircle", "database", "prometheus"}
    for one in services.values():
        assert set(one.get("depends_on", ())) <= set(services)
        assert set(one.get("secrets", ())) <= set(told["secrets"])
        for volume in one["volumes"]:
            source = volume.partition(":")[0]
            here = source.startswith("./")
            assert source in told["volumes"] or here
            assert not source.endswith(".yml") or (FOLDER / source).is_file()
    asked = services["lifecircle"]["environment"]
    settings = settings_from(asked)
    assert settings.behind_proxy
    assert not settings.public_read
    assert settings.workers == 2


def test_settings_of_the_examples_are_settings() -> None:
    known = {PREFIX + name.upper() for name in FROM_ENVIRONMENT}
    for path in FOLDER.iterdir():
        assert set(re.findall(r"LIFECIRCLE_\w+", path.read_text("utf-8"))) <= known, path.name


def test_prometheus_asks_for_counts_that_there_are() -> None:
    told = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    (job,) = told["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    rules = (FOLDER / "rules.yml").read_text("utf-8")
    metrics = Metrics()
    metrics.count("GET", "/", 200, 0.1)
    counted = metrics.text().decode()
    for name in re.findall(r"lifecircle_\w+", rules):
        assert name in counted
    assert all("expr" in rule for rule in yaml.safe_load(rules)["groups"][0]["rules"])


def test_the_dashboard_draws_counts_that_there_are() -> None:
    board = json.loads((FOLDER / "grafana.json").read_text("utf-8"))
    metrics = Metrics()
    metrics.count("GET", "/", 200, 0.1)
    counted = set(re.findall(r"^(\w+)(?:\{| )", metrics.text().decode(), re.MULTILINE))
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for told in asked:
        assert set(re.findall(r'job="(\w+)"', told)) == {job["job_name"]}
        names = set(re.findall(r"\b(?:lifecircle|process)_\w+", told))
        assert names <= counted
        assert names or told.startswith("up{")
        assert [told.count(one) for one in "({["] == [told.count(one) for one in ")}]"]


@pytest.mark.parametrize("name", UNITS)
def test_units_of_systemd(name: str) -> None:
    told = configparser.ConfigParser(strict=False, interpolation=None)
    told.optionxform = str  # type: ignore[method-assign,assignment]
    told.read_string((FOLDER / name).read_text("utf-8"))
    assert "Unit" in told
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    said = subprocess.run(
        [verify, "verify", f"./{name}"], cwd=FOLDER, capture_output=True, text=True, check=False
    ).stderr
    wrong = [line for line in said.splitlines() if "not executable" not in line and name in line]
    assert wrong == []


def test_the_proxies_pass_on_what_the_service_needs() -> None:
    nginx = (FOLDER / "nginx.conf").read_text("utf-8")
    plain = re.sub(r"#.*", "", nginx)
    assert plain.count("{") == plain.count("}")
    for place in re.findall(r"location[^{]*\{([^}]*proxy_pass[^}]*)\}", plain):
        assert "proxy_set_header Host $host;" in place
        assert "proxy_set_header X-Forwarded-Proto $scheme;" in place
    caddy = re.sub(r"#.*", "", (FOLDER / "Caddyfile").read_text("utf-8"))
    assert caddy.count("{") == caddy.count("}")
    assert "reverse_proxy 127.0.0.1:8000" in caddy
