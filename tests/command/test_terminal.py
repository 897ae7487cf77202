"""What the command prints and refuses: no figure cut, no page under a false name, no taken port."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from rich.table import Table

from lifecircle.analysis.errors import ParameterError, WorkspaceError
from lifecircle.analysis.measures.names import unknown_service
from lifecircle.analysis.policy import load_policy
from lifecircle.service.commands.spoken import translated
from lifecircle.service.errors import SettingError
from lifecircle.service.settings import Settings, check_port, settings_from
from lifecircle.service.terminal import check_folder, check_suffix, print_table
from tests.command.run import lifecircle


@pytest.mark.parametrize("watched", ["0", "1"])
@pytest.mark.parametrize("columns", ["40", "60", "80", "200"])
def test_no_figure_and_no_code_is_cut(
    columns: str, watched: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TTY_COMPATIBLE", watched)
    table = Table(title="社区卫生服务中心")
    table.add_column("代码")
    table.add_column("单元")
    table.add_column("居民", justify="right")
    for head in ("P 人口", "Residential land covered (L)", "Served within capacity (C)"):
        table.add_column(head, justify="right")
    name = "一个名字很长很长的城市社区居民委员会"
    table.add_row("990101001001", name, "1,000,000", "100.0%", "0.0%", "97.9%")
    print_table(table)
    shown = capsys.readouterr().out
    for whole in ("990101001001", "1,000,000", "100.0%", "97.9%"):
        assert whole in shown
    assert "…" not in shown
    assert name[:9] in shown  # words may fold on a screen, but not letter by letter
    assert name in shown or watched == "1"


def test_a_page_is_not_written_under_another_format_s_name() -> None:
    check_suffix(None, ".html")
    check_suffix(Path("x.HTML"), ".html .htm")
    with pytest.raises(ParameterError) as caught:
        check_suffix(Path("report.pdf"), ".html .htm")
    assert "report.pdf" in caught.value.text("en")
    assert ".html" in caught.value.text("zh")


def test_a_taken_port_is_told_before_the_address() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingError) as caught:
            check_port(Settings(port=port))
    assert str(port) in caught.value.text("en")
    assert "--port" in caught.value.text("zh")
    check_port(Settings(port=0))


def test_impossible_settings_are_named() -> None:
    with pytest.raises(SettingError) as caught:
        settings_from({"LIFECIRCLE_LANGUAGE": "fr"}, port=99_999)
    text = caught.value.text("en")
    assert "port = 99999" in text
    assert "language = fr" in text


def test_every_setting_can_be_said_by_a_variable() -> None:
    told = settings_from({"LIFECIRCLE_DEAR_SECONDS": "300", "LIFECIRCLE_DEAR_APART": "false"})
    assert (told.dear_seconds, told.dear_apart) == (300.0, False)


@pytest.mark.parametrize(
    ("said", "meant"), [("markt", "market"), ("菜市", "market"), ("Pharmacies", "pharmacy")]
)
def test_a_misspelled_service_gets_the_nearest(said: str, meant: str) -> None:
    policy = load_policy()
    error = unknown_service(said, policy, policy.services)
    assert f"({meant})" in error.text("en").split("It has")[0]
    assert f"（{meant}）" in error.text("zh").split("可用的有")[0]


def test_the_language_may_stand_before_the_command(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    done = lifecircle("--lang", "zh", "check", missing, workspace=tmp_path)
    assert done.returncode == 2
    assert "找不到该文件" in done.stdout + done.stderr
    assert lifecircle("--lang", "fr", "check", missing, workspace=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ("No such command 'coverge'. Did you mean 'coverage'?",
         "没有命令“coverge”；相近的有：'coverage'"),
        ("No such command 'xyz'.", "没有命令“xyz”。可用的命令见 lifecircle --help"),
        ("Invalid value for '--year': Input should be greater than or equal to 1900",
         "--year 的值不可用：应不小于 1900"),
        ("Invalid value for '--port': Input should be less than or equal to 65535",
         "--port 的值不可用：应不大于 65535"),
        ("Invalid value for '--lang': Value error, 'xx' is not one of 'zh', 'en'.",
         "--lang 的值不可用：“xx”不在可选值之内：'zh', 'en'"),
    ],
)  # fmt: skip
def test_what_typer_says_is_said_in_chinese(said: str, chinese: str) -> None:
    assert translated(said, "zh") == chinese
    assert translated(said, "en") == said


def test_a_name_like_no_other_is_offered_none() -> None:
    policy = load_policy()
    refused = unknown_service("x", policy, policy.services)
    assert "最接近的有：无；" in refused.text("zh") and "Nearest: none is similar." in refused.text(
        "en"
    )


def test_a_file_in_no_folder_is_refused_by_the_name_that_was_given(tmp_path: Path) -> None:
    check_folder(None)
    check_folder(tmp_path / "x.csv")
    with pytest.raises(WorkspaceError) as caught:
        check_folder(tmp_path / "none" / "x.csv")
    assert "“x.csv”" in caught.value.text("zh")
