"""How large the house is and how much of it one has to hold in the head, counted from its text.

::

    python -m benchmarks.house_table [OTHER-TREE ...]

prints a column for this tree and for each other one (a checkout of another commit).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
PRODUCT: Final = ("analysis", "service", "lifecircle")
PARAMETERS, LINES, COMPLEXITY = 8, 60, 14
ASKED: Final = frozenset({"service", "minutes", "walker", "group", "by", "at"})
SPELLED: Final = 3  # so many of them among the parameters spell the question out
MOST: Final = "limit_cm"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(root: Path, *tops: str) -> list[Path]:
    return sorted(file for top in tops for file in (root / top).rglob("*.py"))


def is_demo(file: Path) -> bool:
    """The generated city and its answer key, where they lie now and where they lay."""
    return bool({"demo", "springcity", "truth"} & {*file.parts, file.stem})


def lines(chosen: list[Path]) -> int:
    return sum(len(file.read_text("utf-8").splitlines()) for file in chosen)


def functions(chosen: list[Path]) -> Iterator[Function]:
    for file in chosen:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, Function):
                yield node


def parameters(function: Function) -> set[str]:
    args = function.args
    return {one.arg for one in (*args.posonlyargs, *args.args, *args.kwonlyargs)} - {"self", "cls"}


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_command(function: Function) -> bool:
    """Its parameters are options of a command: each is annotated for typer, or it is decorated."""
    decorated = [ast.unparse(one) for one in function.decorator_list]
    return any("command" in one for one in decorated) or any(
        "typer." in ast.unparse(one.annotation) for one in function.args.args if one.annotation
    )


def is_kernel(function: Function) -> bool:
    return any("njit" in ast.unparse(one) for one in function.decorator_list)


def spellings(root: Path) -> int:
    """Functions and records that spell out the question, commands aside."""
    found = 0
    for file in files(root, *PRODUCT):
        if is_demo(file.relative_to(root)):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, Function) and not is_command(node):
                found += len(parameters(node) & ASKED) >= SPELLED
            elif isinstance(node, ast.ClassDef):
                names = {
                    one.target.id
                    for one in node.body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                }
                found += len(names & ASKED) >= SPELLED
    return found


def covered(root: Path) -> int:
    """Comparisons of centimetres with the limit of the question."""
    found = 0
    for file in files(root, *PRODUCT):
        if is_demo(file.relative_to(root)):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and isinstance(
                node.ops[0], ast.LtE | ast.Lt | ast.Gt | ast.GtE
            ):
                found += any(
                    ast.unparse(side).split(".")[-1].split("[")[0] == MOST
                    for side in (node.left, *node.comparators)
                )
    return found


def complex_functions(root: Path) -> int:
    """Functions more complex than ruff's C901 allows."""
    ran = subprocess.run(
        [
            sys.executable, "-m", "ruff", "check", "--isolated", "--ignore-noqa", "--select",
            "C901", "--config", f"lint.mccabe.max-complexity={COMPLEXITY}", "--output-format",
            "concise", *(str(root / top) for top in PRODUCT if (root / top).is_dir()),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout.count("C901")


def fullest(root: Path, *tops: str) -> str:
    count = Counter(file.parent for file in files(root, *tops) if file.name != "__init__.py")
    folder, size = count.most_common(1)[0]
    return f"{size} ({folder.relative_to(root)})"


def stores_of_words(root: Path) -> int:
    """Folders of texts, and files with texts in pairs of languages."""
    folders = {file.parent for top in PRODUCT for file in (root / top).rglob("*.toml")}
    return sum(one.name in {"messages", "locales"} for one in folders)


def product(root: Path) -> list[Path]:
    return [file for file in files(root, *PRODUCT) if not is_demo(file.relative_to(root))]


def over(root: Path, holds: Callable[[Function], bool]) -> str:
    found = [one for one in functions(product(root)) if holds(one)]
    kernels = sum(is_kernel(one) for one in found)
    commands = sum(is_command(one) for one in found)
    rest = len(found) - kernels - commands
    return f"{len(found)} ({kernels} kernels, {commands} commands, {rest} others)"


ROWS: Final[dict[str, Callable[[Path], object]]] = {
    "files, product without demo": lambda root: len(product(root)),
    "lines, product without demo": lambda root: lines(product(root)),
    "lines, demo and answer key": lambda root: lines(
        [file for file in files(root, *PRODUCT) if is_demo(file.relative_to(root))]
    ),
    "lines, tests": lambda root: lines(files(root, "tests")),
    "fullest folder": lambda root: fullest(root, *PRODUCT),
    "fullest folder of tests": lambda root: fullest(root, "tests"),
    f"functions over {PARAMETERS} parameters": lambda root: over(
        root, lambda one: len(parameters(one)) > PARAMETERS
    ),
    f"functions over {LINES} lines": lambda root: over(root, lambda one: length(one) > LINES),
    f"functions over complexity {COMPLEXITY}": complex_functions,
    "spellings of the question (3 of its 6 words)": spellings,
    "comparisons with limit_cm": covered,
    "folders of texts": stores_of_words,
}


def main() -> None:
    trees = [*map(Path, sys.argv[1:]), ROOT]
    print("| |" + "".join(f" {tree.resolve().name} |" for tree in trees))
    print("|---|" + "---|" * len(trees))
    for name, count in ROWS.items():
        print(f"| {name} |" + "".join(f" {count(tree.resolve())} |" for tree in trees))


if __name__ == "__main__":
    main()
