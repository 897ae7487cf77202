"""Fuzz the readers: whatever bytes a file holds, the checker answers, and soon.

    python benchmarks/trials/fuzz_readers.py [--seconds 300] [--suffix .csv] [--random]

With atheris (``pip install atheris``) the Python code is instrumented and libFuzzer mutates the
seeds; without it (or with ``--random``) a plain mutator does. A crash, a hang (20 s) or more than
3 GB stop the run, and the file stays in the folder that is printed.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

SUFFIXES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".gpkg", ".geojson", ".kml", ".kmz", ".shp",
            ".zip", ".parquet")  # fmt: skip
HANG_S, MEMORY_MB = 20, 3_000


def seeds() -> dict[str, list[bytes]]:
    """Small valid files by suffix."""
    import geopandas as gpd
    import openpyxl
    import shapely

    text = "名称,类型,经度,纬度,人口（万人）\n翠湖,药店,102.7,25.04,1.2\n合计,,,,3\n注：无\n"
    frame = gpd.GeoDataFrame(
        {"名称": ["甲", "乙"], "人口": [1, 2]},
        geometry=[shapely.Point(102.7, 25), shapely.box(102, 25, 102.1, 25.1)], crs=4326,
    )  # fmt: skip
    book = openpyxl.Workbook()
    for line in (["一览表"], ["名称", "坐标", "", "人口"], ["", "经度", "纬度", ""],
                 ["甲", 102.7, 25.0, "１２"]):  # fmt: skip
        book.active.append(line)
    book.active.merge_cells("B2:C2")
    sheet = io.BytesIO()
    book.save(sheet)
    kml = (
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        '<name>甲</name><ExtendedData><Data name="人口"><value>3</value></Data></ExtendedData>'
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>102,25 102.1,25 102.1,25.1 102,25"
        "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"
    ).encode()
    made: dict[str, list[bytes]] = {
        ".csv": [text.encode(), text.encode("gb18030"), text.encode("utf-16")],
        ".tsv": [text.replace(",", "\t").encode()],
        ".xlsx": [sheet.getvalue()],
        ".xls": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024)],
        ".geojson": [frame.to_json().encode()],
        ".kml": [kml],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for suffix in (".gpkg", ".parquet", ".shp"):
            path = folder / f"a{suffix}"
            of = frame if suffix == ".parquet" else frame.iloc[:1]
            of.to_parquet(path) if suffix == ".parquet" else of.to_file(path)
            made[suffix] = [path.read_bytes()]
        parts = (".shp", ".shx", ".dbf", ".prj", ".cpg")
        layer = {p.name: p.read_bytes() for p in folder.glob("a.*") if p.suffix in parts}
        made[".zip"] = [_zip(layer)]
    made[".kmz"] = [_zip({"doc.kml": kml})]
    spaces = " ".join(
        f'xmlns:{s}="urn:oasis:names:tc:opendocument:xmlns:{s}:1.0"'
        for s in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        '<table:table table:name="S"><table:table-row><table:table-cell office:value-type="string">'
        "<text:p>人口</text:p></table:table-cell></table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    made[".ods"] = [_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
                          "content.xml": content.encode()})]  # fmt: skip
    return made


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


class Target:
    """Writes bytes into a file and has it checked; nothing but faults may come back."""

    def __init__(self, folder: Path, only: str | None) -> None:
        from lifecircle.analysis.policy import load_policy
        from lifecircle.analysis.readers.records.declarations import Declaration, Declarations

        self.policy = load_policy()
        self.declared = Declarations(Declaration(datum="gcj02"))
        self.folder, self.only = folder, only
        self.done = 0
        self.slowest = 0.0
        self.parts = seeds()
        self.shape: dict[str, bytes] = {}
        with zipfile.ZipFile(io.BytesIO(self.parts[".zip"][0])) as archive:
            self.shape = {Path(n).suffix: archive.read(n) for n in archive.namelist()}

    def __call__(self, data: bytes) -> None:
        from lifecircle.analysis.readers.tables.population_and_facilities import check_table

        if not data:
            return
        suffix = self.only or SUFFIXES[data[0] % len(SUFFIXES)]
        path = self.folder / f"a{suffix}"
        if suffix == ".shp":  # the first bytes say which of the parts is hostile
            part = (".shp", ".shx", ".dbf", ".prj", ".cpg")[data[0] // 16 % 5]
            for other, content in self.shape.items():
                path.with_suffix(other).write_bytes(content)
            path.with_suffix(part).write_bytes(data[1:])
        else:
            path.write_bytes(data[1:])
        start = time.perf_counter()
        for fault in check_table(path, policy=self.policy, declared=self.declared):
            fault.text("zh")
            fault.text("en")
        self.slowest = max(self.slowest, time.perf_counter() - start)
        self.done += 1


def mutated(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """A plain mutation: bytes flipped, cut, repeated, spliced, and words put in."""
    out = bytearray(data)
    words = (b"\x00", b"\xff\xff", b"nan", b"1e308", b"[[[[", b'"', b"<!DOCTYPE a>",
             b"\x7f\xff\xff\xff", "万".encode(), b"=1+1", b"9" * 40)  # fmt: skip
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(6):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                del out[at : at + rng.randint(1, 64)]
            case 2:
                out[at:at] = out[at : at + rng.randint(1, 256)]
            case 3:
                out[at:at] = rng.choice(words)
            case 4:
                other = rng.choice(others)
                cut = rng.randrange(len(other) + 1)
                out[at:] = other[cut:]
            case _:
                out[at : at + 4] = rng.randbytes(4)
    return bytes(out)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--seconds", type=int, default=300)
    asked.add_argument("--suffix", choices=SUFFIXES)
    asked.add_argument("--random", action="store_true")
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    import warnings

    warnings.simplefilter("ignore")
    atheris: Any = None
    if not given.random:
        try:
            import atheris
        except ImportError:
            print("atheris is not installed: plain mutations")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-readers-"))
    print(f"files in {folder}")
    if atheris is None:
        _plainly(given, folder)
        return
    with atheris.instrument_imports(include=["lifecircle.analysis.readers"]):
        import lifecircle.analysis.readers.tables.population_and_facilities  # noqa: F401
    target = Target(folder, given.suffix)
    corpus = folder / "corpus"
    corpus.mkdir()
    for suffix, contents in target.parts.items():
        for number, content in enumerate(contents):
            if given.suffix in (None, suffix):
                first = bytes([SUFFIXES.index(suffix)])
                (corpus / f"{suffix[1:]}-{number}").write_bytes(first + content)
    options = [sys.argv[0], str(corpus), f"-max_total_time={given.seconds}", f"-timeout={HANG_S}",
               f"-rss_limit_mb={MEMORY_MB}", "-max_len=65536", f"-artifact_prefix={folder}/",
               f"-seed={given.seed}", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup(options, target)
    atheris.Fuzz()


def _plainly(given: argparse.Namespace, folder: Path) -> None:
    target = Target(folder, given.suffix)
    rng = random.Random(given.seed)
    chosen = {s: c for s, c in target.parts.items() if given.suffix in (None, s)}
    everything = [content for contents in chosen.values() for content in contents]
    ends = time.monotonic() + given.seconds
    while time.monotonic() < ends:
        suffix = rng.choice(list(chosen))
        data = mutated(rng, rng.choice(chosen[suffix]), everything)
        first = SUFFIXES.index(suffix) + len(SUFFIXES) * rng.randrange(20)
        (folder / "last").write_bytes(bytes([first]) + data)
        target(bytes([first]) + data)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{target.done} files, slowest {target.slowest:.2f} s, most memory {memory:.0f} MB")


if __name__ == "__main__":
    main()
