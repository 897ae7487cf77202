"""A PostgreSQL of our own for one run of the tests, on a socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = (Path("/usr/lib/postgresql"),)


def find_server() -> Path | None:
    """The folder of PostgreSQL's programs, the newest with PostGIS; None where there is none."""
    found = [
        version / "bin"
        for place in _PLACES
        for version in sorted(place.glob("*"), key=lambda one: -float(one.name))
        if (version / "bin" / "initdb").is_file() and (version / "lib" / "postgis-3.so").is_file()
    ]
    return found[0] if found else None


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """A server with an empty database; the address of it. PostgreSQL refuses to run as root."""
    home = Path(tempfile.mkdtemp(prefix="lifecircle-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(home, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def run(program: str, *words: str) -> None:
        command = [*as_user, str(programs / program), *words]
        subprocess.run(command, check=True, capture_output=True, cwd=home, timeout=120)

    data = home / "data"
    run("initdb", "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync",
        "--locale=C.UTF-8")  # fmt: skip
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(home / "log"), "-w", "start")
    try:
        yield f"postgresql://tester@/postgres?host={home}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)
