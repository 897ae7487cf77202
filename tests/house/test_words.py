"""Every text is said once: in both languages, with the same parameters, and by somebody.

How "no text for people in the code" is checked: no Chinese stands in a literal of the code, except
where files or people are read (words that inputs use, and the demo's own names); every key that
the code names is in the store, and every key of the store is named somewhere.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.texts import LANGUAGES, MESSAGES
from lifecircle.service.i18n import TEXTS

ROOT = Path(__file__).parents[2]
ROOMS = (
    "word", "map", "report", "check", "quality", "scorecard", "stages", "study", "page", "cli",
    "batch", "robustness", "referral",
)  # fmt: skip
SPEAKERS = {"told", "words"}  # `Words` of a reader, called with the bare key of a room
SAYERS = {"say", "say_both", "both", "Warn", "PolicyError", "ParameterError", "UnknownNameError",
          "WorkspaceError", "UnsolvedError", "refused"}  # fmt: skip
HAN = re.compile(r"[\u4e00-\u9fff]")
READ = (  # where Chinese is what inputs say or what documents have as ids, not what we say
    "analysis/demo/", "analysis/readers/", "analysis/texts.py", "lifecircle/town.py",
    "analysis/city/units/", "analysis/city/facilities/",
    "analysis/measures/opening.py",
    "analysis/measures/scorecard/rule.py", "analysis/measures/catchments/population_rule.py",
    "analysis/measures/catchments/rule_result.py",
    "analysis/policy/scorecard_checks.py", "analysis/results/names.py", "service/wording.py",
)  # fmt: skip
MADE = ("typer_said_", "errors_at_")  # keys found by their beginning


def _sources() -> Iterator[Path]:
    for room in ("analysis", "service", "lifecircle"):
        yield from (ROOT / room).rglob("*.py")


@cache
def _trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in _sources()}


def _docstrings(tree: ast.AST) -> set[int]:
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr)
    }


def _literals(tree: ast.AST) -> Iterator[ast.Constant]:
    prose = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


@cache
def _named() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Words of the code and the pages, and patterns of keys made from parts."""
    words: set[str] = set()
    patterns: set[str] = set()
    for tree in _trees().values():
        words |= {str(node.value) for node in _literals(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+"
                    for part in node.values
                ]
                patterns.add("".join(map(str, parts)))
    for page in (ROOT / "service" / "templates").glob("*.html"):
        told = page.read_text("utf-8")
        words |= set(re.findall(r"\bt\.(\w+)", told)) | set(re.findall(r'"(\w+)"', told))
        for start, end in re.findall(r'"(\w*)" ~ [\w.]+(?: ~ "(\w+)")?', told):
            patterns.add(f"{start}\\w+{end}")
    made = (one for one in patterns if re.search(r"[a-z]{3}", one.replace(r"\w+", "")))
    return frozenset(words), tuple(re.compile(one) for one in made)


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_text_is_in_both_languages_with_the_same_parameters() -> None:
    wrong = []
    for key in TEXTS.keys():  # noqa: SIM118
        entry = TEXTS.entry(key)
        told = (entry, entry.get("page", entry))
        if set(entry) - {"page"} != set(LANGUAGES) or any(
            _fields(one["zh"]) != _fields(one["en"]) for one in told
        ):
            wrong.append(key)
    assert wrong == []


def test_no_key_stands_twice() -> None:
    keys = list(TEXTS.keys())
    assert sorted(keys) == sorted(set(keys))


def _said(by: Collection[str]) -> Iterator[tuple[str, int, str, str]]:
    """Keys written out as the first argument of some functions: file, line, function, key."""
    for file, tree in _trees().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name in by and isinstance(node.args[0], ast.Constant):
                yield file, node.lineno, str(name), str(node.args[0].value)


def test_every_key_that_the_code_says_is_a_text() -> None:
    unknown = [
        (file, line, key)
        for file, line, _, key in _said(SAYERS)
        if re.fullmatch(r"[a-z]\w*_\w+", key) and not any(map(TEXTS.has, _meant(key)))
    ]
    assert unknown == []


def test_the_analysis_says_texts_of_its_own() -> None:
    unknown = [
        (file, line, key)
        for file, line, by, key in _said(SAYERS)
        if by == "Warn" or file.startswith("analysis/")
        if TEXTS.has(key) and not MESSAGES.has(key)
    ]
    assert unknown == []


def test_the_service_says_nothing_by_the_store_of_the_analysis() -> None:
    """Which has none of the service's texts, and so fails when it is asked for one."""
    found = [
        (file, node.lineno)
        for file, tree in _trees().items()
        if file.startswith("service/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module in ("lifecircle.analysis.errors", "lifecircle.analysis.texts")
        and any(one.name == "say" for one in node.names)
    ]
    assert found == []


def test_every_word_that_a_page_says_is_a_text() -> None:
    unknown = [
        (file, line, key)
        for file, line, _, key in _said(SPEAKERS)
        if file.startswith("service/") and not any(map(TEXTS.has, _meant(key)))
    ]
    assert unknown == []


def _meant(word: str) -> list[str]:
    return [word, *(f"{room}_{word}" for room in ROOMS)]


def test_every_text_is_said_somewhere() -> None:
    words, patterns = _named()
    unsaid = [
        key
        for key in TEXTS.keys()  # noqa: SIM118
        if not key.startswith(MADE)
        and not any(one in words for one in (key, *_bare(key)))
        and not any(made.fullmatch(one) for made in patterns for one in (key, *_bare(key)))
    ]
    assert unsaid == []


def _bare(key: str) -> list[str]:
    room, _, rest = key.partition("_")
    return [rest] if room in ROOMS else []


ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")
SAID_BY_OTHERS = (  # units of files, a policy's origin, the log: nothing that a planner reads
    "us survey foot", "m, ft, US survey foot", "no graph nodes", "added in code",
    "kernels not warmed", "unexpected error at %s",
)  # fmt: skip


def test_no_sentence_is_written_in_the_code() -> None:
    raised = {
        id(part)
        for tree in _trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.Assert)  # what only a programmer meets
        for part in ast.walk(node)
    }
    written = [
        (file, node.lineno, node.value)
        for file, tree in _trees().items()
        if not file.startswith("analysis/demo/")
        for node in _literals(tree)
        if id(node) not in raised
        and node.value not in SAID_BY_OTHERS
        and ENGLISH.search(str(node.value))
    ]
    assert written == []


def test_no_chinese_is_written_in_the_code() -> None:
    written = [
        (file, node.lineno, node.value)
        for file, tree in _trees().items()
        if not file.startswith(READ)
        for node in _literals(tree)
        if HAN.search(str(node.value))
    ]
    assert written == []


def test_a_remark_kept_of_old_that_knew_less_is_still_said() -> None:
    kept = Warn("facilities_unsnapped", {"count": 1, "metres": 250})  # before ids were told
    assert "1 facility" in kept.text("en") and "（—）" in kept.text("zh")
