"""Bar a: pbf to contracted network with edge index, beside a pyosmium handler on the same file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import osmium

from benchmarks.bars import Row, medians_s, shared_file
from benchmarks.town import PORTO
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms

REPEATS = 7
BAR_RATIO = 1.5
BAR_MB = 600


class Collect(osmium.SimpleHandler):
    """The peer: (ref, lon, lat) of every highway way."""

    def __init__(self) -> None:
        super().__init__()
        self.ways: list[list[tuple[int, float, float]]] = []

    def way(self, way: osmium.osm.Way) -> None:
        if "highway" in way.tags:
            self.ways.append([(n.ref, n.lon, n.lat) for n in way.nodes])


def handler(path: Path) -> int:
    """Run the peer."""
    collect = Collect()
    collect.apply_file(str(path), locations=True)
    return len(collect.ways)


def network(path: Path) -> int:
    """Run ours: read, contract, index."""
    policy = load_policy()
    streets = build_network(read_streets(path, policy.walk, way_forms(policy)))
    index = EdgeIndex.by(streets, policy.attachment)
    return len(index.segment_edge)


def peak_mb(what: str, path: Path) -> float:
    """Peak resident memory of one run in a process of its own, MB.

    From ``VmHWM`` where there is a /proc, because `ru_maxrss` starts at the parent's peak.
    """
    code = (
        "import resource, sys; from pathlib import Path; from benchmarks import bar_a; "
        f"bar_a.{what}(Path(sys.argv[1])); "
        "proc = Path('/proc/self/status'); "
        "lines = proc.read_text().splitlines() if proc.exists() else []; "
        "peak = [line.split()[1] for line in lines if line.startswith('VmHWM')]; "
        "print(peak[0] if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=True, cwd=root
    )
    return float(done.stdout) / 1024


def measure() -> list[Row]:
    """The rows of bar a."""
    path = shared_file(PORTO)
    seconds = medians_s(
        {"ours": lambda: network(path), "peer": lambda: handler(path)}, repeats=REPEATS
    )
    ratio = seconds["ours"] / seconds["peer"]
    ours_mb, peer_mb = peak_mb("network", path), peak_mb("handler", path)
    what = "pbf to network + edge index (porto)"
    return [
        Row("a", what, f"{seconds['ours']:.2f} s", "pyosmium SimpleHandler",
            f"{seconds['peer']:.2f} s", ratio, f"<= {BAR_RATIO}x as long", ratio <= BAR_RATIO),
        Row("a", "peak memory of the process", f"{ours_mb:.0f} MB", "pyosmium SimpleHandler",
            f"{peer_mb:.0f} MB", ours_mb / peer_mb, f"< {BAR_MB} MB", ours_mb < BAR_MB,
            "both processes import the same modules of this package"),
    ]  # fmt: skip
