"""The registry: word for word the plan's, every number with its role, faults told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.policy.attributes import attributes
from lifecircle.analysis.policy.faults import PolicyFileError
from lifecircle.analysis.policy.scorecard_checks import RESERVED, Numerals
from lifecircle.analysis.policy.scorecard_model import Promise, Row, Scorecard
from lifecircle.analysis.results.frozen.policy import policy_from, policy_text
from lifecircle.service.catalog.scorecard import needs
from lifecircle.service.queries.scorecard import (
    ScorecardQuery,
    packaged_settings,
    setting_parameters,
)

HERE = Path(__file__).parent
PACKAGED = HERE.parents[1] / "analysis" / "policies" / "scorecard" / "kunming-2022-77.toml"
BOX1 = "专栏1"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="module")
def plan_card(policy: Policy) -> Scorecard:
    assert policy.scorecard is not None
    return policy.scorecard


@pytest.fixture(scope="module")
def sentences() -> list[dict[str, str]]:
    return tomllib.loads((HERE / "plan_sentences.toml").read_text("utf-8"))["sentence"]


def promises(plan_card: Scorecard) -> list[Row | Promise]:
    return [*plan_card.rows.values(), *plan_card.not_computed.values()]


def test_every_row_is_there(plan_card: Scorecard) -> None:
    asked = [f"A{i:02d}" for i in range(1, 38)] + [f"B{i:02d}" for i in range(1, 29)]
    assert list(plan_card.rows) == asked
    assert len(plan_card.not_computed) == 6


def test_each_phrase_stands_word_for_word_in_a_sentence_of_its_section(
    plan_card: Scorecard, sentences: list[dict[str, str]]
) -> None:
    for one in promises(plan_card):
        for phrase in one.phrases:
            held = [s for s in sentences if s["section"] == phrase.section]
            assert any(phrase.text in s["text"] for s in held), (one.id, phrase)
    for row in plan_card.rows.values():
        if row.baseline is not None:
            assert row.baseline.section == "一"
            held = [s for s in sentences if s["section"] == "一"]
            assert any(row.baseline.sentence in s["text"] for s in held), row.id


def test_the_copied_sentences_stand_in_their_section_of_the_plan(
    sentences: list[dict[str, str]], shared_data: Path
) -> None:
    text = (shared_data.parent / "docs" / "plan-2022-77.zh.txt").read_text("utf-8")
    sections = split_plan(text)
    for one in sentences:
        lines = sections[one["section"]]
        if one["section"] == BOX1:
            at = lines.index(one["text"])  # the figure is the line after the name
            assert lines[at + 1 : at + 3] == [one["figure"], one["nature"]]
        else:
            assert any(one["text"] in line for line in lines), one


def split_plan(text: str) -> dict[str, list[str]]:
    """The plan's lines by section mark: 三(二)4, 专栏2-7, 四(三), 一."""
    sections: dict[str, list[str]] = {}
    chapter = part = item = box = ""
    for line in (one.strip() for one in text.splitlines()):
        if not line:
            continue
        if found := re.match(r"^([一二三四])、\s", line):
            chapter, part, item, box = found[1], "", "", ""
        elif found := re.match(r"^专栏(\d)", line):
            box, item = f"专栏{found[1]}", ""
        elif found := re.match(r"^(\([一二三四五]\))", line):
            part, item, box = found[1], "", ""
        elif found := re.match(r"^(\d+)\.\s", line):
            item, box = found[1], ""
        elif box and (found := re.match(r"^(\d+)\.", line)):
            sections.setdefault(f"{box}-{found[1]}", []).append(line)
            continue
        mark = box or f"{chapter}{part}{item}"
        sections.setdefault(mark, []).append(line)
    return sections


def test_every_number_of_a_phrase_has_one_role(plan_card: Scorecard) -> None:
    told = tomllib.loads(PACKAGED.read_text("utf-8"))["numerals"]
    numeral = Numerals(tuple(told["counted"]), tuple(told["each"])).pattern
    for one in promises(plan_card):
        for phrase in one.phrases:
            for found in numeral.finditer(phrase.text):
                covering = [n for n in one.numbers if found[0] in n.text and n.text in phrase.text]
                assert covering, (one.id, found[0])
        assert {n.role for n in one.numbers} <= {"target", "minimum", "maximum", "filter", "year"}
        for number in one.numbers:
            digits = re.search(r"\d+(?:\.\d+)?", number.text)
            if digits:
                scale = 1e4 if "万" in number.text else 0.01 if "%" in number.text else 1
                assert number.value == pytest.approx(float(digits[0]) * scale), (one.id, number)


def test_targets_of_the_box_are_the_line_after_the_name(
    plan_card: Scorecard, sentences: list[dict[str, str]]
) -> None:
    boxed = {s["text"]: s for s in sentences if s["section"] == BOX1}
    rows = [row for row in promises(plan_card) if row.nature is not None]
    names = [p.text for row in rows for p in row.phrases if p.section == BOX1]
    assert len(names) == len(set(names)) == len(boxed) == 14
    for row in rows:
        assert row.nature == "预期性"
        for phrase in row.phrases:
            if phrase.section == BOX1:
                figure = boxed[phrase.text]["figure"]
                targets = {n.text: n.value for n in row.numbers if n.role == "target"}
                assert figure in targets, row.id
                if isinstance(row, Row):
                    assert row.target is not None
                    assert row.target.value == targets[figure]
    for row in promises(plan_card):
        assert (row.nature is None) == all(p.section != BOX1 for p in row.phrases)


def test_a_baseline_only_where_the_plan_states_one(plan_card: Scorecard) -> None:
    stated = {i: row.baseline for i, row in plan_card.rows.items() if row.baseline is not None}
    assert set(stated) == {
        "A05", "A08", "A11", "A23", "A27", "A32", "B02", "B09", "B17", "B19",
    }  # fmt: skip
    assert [i for i, base in stated.items() if base.comparable] == ["A11", "B19"]
    for base in stated.values():
        assert base.year == 2020
        number = re.search(r"(\d+)(?=[个人家]|$)", base.sentence)
        assert base.value == (1.0 if number is None else float(number[1]))


def test_rows_without_a_number_have_no_target(plan_card: Scorecard) -> None:
    open_ = {i for i, row in plan_card.rows.items() if row.target is None}
    assert open_ == {
        "A03", "A04", "A12", "A13", "A18", "A20", "A21", "A24", "A25", "A27", "A28", "A29", "A30",
        "A31", "A32", "A33", "A34", "A35", "A36", "A37", "B13", "B14", "B15", "B16", "B17", "B18",
        "B19", "B20", "B21", "B22", "B23", "B24", "B25", "B26", "B27",
    }  # fmt: skip
    words = {row.target.words for row in plan_card.rows.values() if row.target is not None}
    for row in plan_card.rows.values():
        if row.target is not None and row.nature is None:
            assert any(row.target.words in p.text for p in row.phrases), row.id
    assert "全覆盖" in words


def test_the_numbers_of_the_rule_are_the_policy_s(policy: Policy, plan_card: Scorecard) -> None:
    reading = plan_card.rows["A01"].readings["rule"]
    capacity = policy.services["health_centre"].capacity
    assert reading.minimum is not None
    assert reading.maximum is not None
    assert capacity is not None
    assert (reading.minimum.value, reading.maximum.value) == (
        capacity.minimum.value, capacity.maximum.value,
    )  # fmt: skip
    targets = {"day_care": "A05", "childcare": "A07", "elder_care": "A06", "service_station": "A11"}
    for service, row in targets.items():
        own, told = policy.services[service].target, plan_card.rows[row].target
        assert own is not None
        assert told is not None
        assert own.value == told.value


def test_the_attribute_table_tells_which_rows_read_what(plan_card: Scorecard) -> None:
    read: dict[tuple[str, str], set[str]] = {}
    for row in plan_card.rows.values():
        _, columns, statistics = needs(row)
        for name in columns:
            read.setdefault(("facility", name), set()).add(row.id)
        for name in statistics:
            read.setdefault(("unit", name), set()).add(row.id)
    for owner, table in attributes().items():
        for name, one in table.items():
            assert set(one.rows) >= read.get((owner, name), set()), (owner, name)


def test_every_setting_can_be_asked_over_http(plan_card: Scorecard) -> None:
    taken = {field.alias or name for name, field in ScorecardQuery.model_fields.items()}
    assert taken | {"area"} == set(RESERVED)
    told = {one["name"]: one for one in setting_parameters(plan_card.settings.values(), "en")}
    assert list(told) == list(packaged_settings()) == list(plan_card.settings)
    assert told["adjacent_m"]["schema"] == {
        "type": "number", "minimum": 0, "maximum": 10_000, "default": 100,
    }  # fmt: skip
    assert told["rule_or"]["schema"]["enum"] == ["either", "A", "B"]


def test_a_run_keeps_the_scorecard_it_was_made_under(policy: Policy) -> None:
    assert policy_from(policy_text(policy)) == policy


# ---- faults ----------------------------------------------------------------------------------


def refused(tmp_path: Path, change: tuple[str, str]) -> str:
    """The fault of the packaged scorecard with one thing changed."""
    text = PACKAGED.read_text("utf-8")
    assert change[0] in text
    (tmp_path / "scorecard").mkdir()
    (tmp_path / "scorecard" / "mine.toml").write_text(text.replace(*change, 1), "utf-8")
    own = tmp_path / "own.toml"
    own.write_text(
        'id = "own"\nextends = "cn-15min"\nscorecard = "mine"\n'
        '[title]\nzh = "x"\nen = "x"\n', "utf-8"
    )  # fmt: skip
    with pytest.raises(PolicyFileError) as caught:
        load_policy(own)
    return "\n".join(
        fault.key + " " + str(fault.params.get("path")) for fault in caught.value.faults
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("90%以上\" },", "90%以上,另有15分钟\" },"), "scorecard_number_unmapped rows.A05.numbers"),
        (('text = "65%"', 'text = "66%"'), "scorecard_number_nowhere rows.A06.numbers.1"),
        (("value = 0.65, words", "value = 0.7, words"), "scorecard_target rows.A06.target"),
        (('nature = "预期性"\n', ""), "scorecard_nature rows.A05.nature"),
        (
            ('any_of = ["day_care"]', 'any_of = ["day_cares"]'),
            "policy_unknown_name rows.A05.readings.U.any_of.1"),
        (('attribute = "standardised"', 'attribute = "standard"'), "_unknown_name rows.A03"),
        (
            ('stat = "parent_school"', 'stat = "school"'),
            "policy_unknown_name rows.B03.readings.U.tests.1.value.1.stat"),
        (
            ('level = "central_town"', 'level = "town"'),
            "policy_unknown_name rows.A17.scope.units.1.level"),
        (
            ('minutes = "minutes_5"', 'minutes = "minutes_6"'),
            "scorecard_amount rows.A05.readings.P5.minutes"),
        (('"一", sentence = "儿童', '"二", sentence = "儿童'), "baseline.section"),
        (('headline = "adjacent"', 'headline = "beside"'), "policy_unknown_name rows.A04.headline"),
        (
            ('default = "either"', 'default = "both"'),
            "policy_unknown_name settings.rule_or.default"),
        (('kind = "circle"', 'kind = "ring"'), "policy_bad_choice rows.A12.readings.P.kind"),
        (("unquantified = true", "unquantifed = true"), "policy_unknown_key rows.A03.unquantifed"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(
    tmp_path: Path, change: tuple[str, str], fault: str
) -> None:
    assert fault in refused(tmp_path, change)


def test_an_unknown_scorecard_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'id = "own"\nextends = "cn-15min"\nscorecard = "nowhere"\n'
        '[title]\nzh = "x"\nen = "x"\n', "utf-8"
    )  # fmt: skip
    with pytest.raises(PolicyError) as caught:
        load_policy(own)
    assert caught.value.key == "scorecard_unknown"
    assert "nowhere" in caught.value.text("zh")
