"""What a policy file is refused for, how that is said, and how files extend each other."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy import Policy, load_policy, loading
from lifecircle.analysis.policy.faults import PolicyFileError
from lifecircle.analysis.policy.files import read_policy

HEAD = """
id = "mine"
extends = "kunming-2022-77"
[title]
zh = "我的"
en = "Mine"
[sources]
notice = "某区2026年实施方案"
"""
CITED = 'source = "notice", clause = "二(三)", confidence = "verified"'

Load = Callable[..., Policy]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a policy written as `HEAD` + body, with other files beside it."""

    def written(body: str, head: str = HEAD, **beside: str) -> Policy:
        for name, text in beside.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        path = tmp_path / "mine.toml"
        path.write_text(head + body, encoding="utf-8")
        return load_policy(path)

    return written


def cited(value: object, **other: str) -> str:
    parts = {"source": "notice", "clause": "二(三)", "confidence": "verified"} | other
    words = ", ".join(f'{k} = "{v}"' for k, v in parts.items())
    return f"{{ value = {value}, {words} }}"


REFUSED = {
    "a bare number": (
        "[services.market]\nminutes = 15", "policy_bare_number", "services.market.minutes"),
    "a bare number in a list": (
        "[circles.fitness]\nservices = [3]", "policy_bare_number", "circles.fitness.services.1"),
    "a bare number under an unknown key": (
        "[services.market]\nbudget = 7", "policy_bare_number", "services.market.budget"),
    "no source": (
        '[services.market]\nminutes = { value = 9, clause = "1", confidence = "verified" }',
        "policy_no_citation", "services.market.minutes"),
    "no clause": (
        '[services.market]\nminutes = { value = 9, source = "plan", confidence = "verified" }',
        "policy_no_citation", "services.market.minutes"),
    "no confidence": (
        '[services.market]\nminutes = { value = 9, source = "plan", clause = "1" }',
        "policy_no_citation", "services.market.minutes"),
    "an empty clause": (
        f"[services.market]\nminutes = {cited(9, clause=' ')}",
        "policy_bad_value", "services.market.minutes.clause"),
    "an unknown source": (
        f"[services.market]\nminutes = {cited(9, source='hearsay')}",
        "policy_unknown_source", "services.market.minutes.source"),
    "an unknown confidence": (
        f"[services.market]\nminutes = {cited(9, confidence='sure')}",
        "policy_bad_choice", "services.market.minutes.confidence"),
    "not a number": (
        f"[services.market]\nminutes = {cited('true')}",
        "policy_not_number", "services.market.minutes.value"),
    "a number in quotes": (
        f"[services.market]\nminutes = {cited(chr(34) + '15' + chr(34))}",
        "policy_not_number", "services.market.minutes.value"),
    "not finite": (
        f"[services.market]\nminutes = {cited('nan')}",
        "policy_not_finite", "services.market.minutes.value"),
    "an unknown key": (
        '[services.market]\nminuten = "15"', "policy_unknown_key", "services.market.minuten"),
    "an unknown table": ('[minutes]\nmarket = "15"', "policy_unknown_key", "minutes"),
    "an unknown key beside a number": (
        f"[services.market]\nminutes = {cited(9, unit='min')}",
        "policy_unknown_key", "services.market.minutes.unit"),
    "a new service without minutes": (
        '[services.tea]\nzh = "茶馆"\nen = "Tea"\ntier = "upgraded"\nattachment = "outline"',
        "policy_missing_key", "services.tea.minutes"),
    "an unknown tier": (
        '[services.market]\ntier = "luxury"', "policy_bad_choice", "services.market.tier"),
    "an unknown attachment": (
        '[services.market]\nattachment = "roof"',
        "policy_bad_choice", "services.market.attachment"),
    "tags that are neither a text nor a list": (
        '[services.market]\nosm = [{ tags = { shop = true } }]',
        "policy_bad_value", "services.market.osm.1.tags.shop"),
    "a rule without tags": (
        '[services.market]\nosm = [{ tags = {}, name_has = ["菜市场"] }]',
        "policy_bad_value", "services.market.osm.1.tags"),
    "zero minutes": (
        f"[services.market]\nminutes = {cited(0)}",
        "policy_not_positive", "services.market.minutes"),
    "negative minutes": (
        f"[circles.fitness]\nminutes_all = {cited(-15)}",
        "policy_not_positive", "circles.fitness.minutes_all"),
    "a walker who stands": (
        f"[walkers.older]\nmetres = {cited(0.0)}", "policy_not_positive", "walkers.older.metres"),
    "a target in percent": (
        f"[services.day_care]\ntarget = {cited(90)}",
        "policy_target_range", "services.day_care.target"),
    "a target below nothing": (
        f"[services.day_care]\ntarget = {cited(-0.1)}",
        "policy_target_range", "services.day_care.target"),
    "a capacity upside down": (
        f"[services.health_centre.capacity]\nminimum = {cited(100_001)}",
        "policy_min_over_max", "services.health_centre.capacity"),
    "a capacity for fewer than nobody": (
        f"[services.health_centre.capacity]\nminimum = {cited(-1)}",
        "policy_negative", "services.health_centre.capacity.minimum"),
    "a capacity for half a person": (
        f"[services.health_centre.capacity]\nminimum = {cited(0.5)}",
        "policy_not_whole", "services.health_centre.capacity.minimum"),
    "a capacity for nobody": (
        f"[services.health_centre.capacity]\nmaximum = {cited(0)}",
        "policy_not_positive", "services.health_centre.capacity.maximum"),
    "a capacity without a maximum": (
        f"[services.market.capacity]\nminimum = {cited(10)}",
        "policy_missing_key", "services.market.capacity.maximum"),
    "floor areas upside down": (
        f"[spread]\nmin_floor_m2_per_resident = {cited(61)}", "policy_min_over_max", "spread"),
    "half a floor": (
        f"[spread]\ndefault_levels = {cited(2.5)}",
        "policy_not_whole", "spread.default_levels"),
    "a circle of an unknown service": (
        '[circles.fitness]\nservices = ["sports_pitch", "fitness_trail", "sauna"]',
        "policy_unknown_name", "circles.fitness.services.3"),
    "a service twice in a circle": (
        '[circles.convenience]\nservices = ["market", "market"]',
        "policy_repeated", "circles.convenience.services"),
    "more types than there are": (
        f"[circles.fitness]\nrequired = {cited(7)}",
        "policy_required_too_many", "circles.fitness.required"),
    "a word for two services": (
        '[services.market]\naliases = ["药店"]', "policy_alias_twice", "services.market.aliases"),
    "a word for two services in full width": (
        '[services.market]\naliases = ["Ｐｈａｒｍａｃｙ"]',
        "policy_alias_twice", "services.market.aliases"),
    "yes and no at once": (
        '[walk]\nfoot_yes = ["yes", "private"]', "policy_foot_both", "walk.foot_yes"),
    "an id with a blank": (
        '[unit_levels]\n"big unit" = { zh = "大", en = "Big" }',
        "policy_bad_id", "unit_levels.big unit"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "key", "path"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_file_and_key(body: str, key: str, path: str, load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load(body)
    error = caught.value
    assert (error.key, error.params["path"], error.params["file"]) == (key, path, "mine.toml")
    for lang in ("en", "zh"):
        text = error.text(lang)  # type: ignore[arg-type]
        assert path in text
        assert not re.search(r"\{[a-z]", text)
    assert re.search("[\u4e00-\u9fff]", error.text("zh"))


def test_all_faults_are_told_at_once(load: Load) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load(
            "[services.market]\nminutes = 15\ncolour = 'red'\n"
            "[services.park]\nminutes = { value = 3 }\n[gaps]\nlink_m = 9"
        )
    told = [(fault.key, fault.params["path"]) for fault in caught.value.faults]
    assert sorted(told) == [
        ("policy_bare_number", "gaps.link_m"),
        ("policy_bare_number", "services.market.minutes"),
        ("policy_no_citation", "services.park.minutes"),
        ("policy_no_citation", "services.park.minutes"),
        ("policy_no_citation", "services.park.minutes"),
        ("policy_unknown_key", "services.market.colour"),
    ]
    assert len(str(caught.value).splitlines()) == 6


@pytest.mark.parametrize(
    ("table", "key"),
    [("attachment", "min_piece_m"), ("walk", "motorroad_no"), ("walk", "motorroad_foot")],
)
def test_what_older_runs_lack_is_asked_for_in_files(
    table: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = read_policy("kunming-2022-77")
    content = {**joined.content, table: {**joined.content[table]}}
    del content[table][key]
    monkeypatch.setattr(
        loading, "read_policy", lambda _: dataclasses.replace(joined, content=content)
    )
    with pytest.raises(PolicyFileError) as caught:
        load_policy()
    (fault,) = caught.value.faults
    assert (fault.key, fault.params["path"]) == ("policy_missing_key", f"{table}.{key}")


def test_a_fault_of_a_base_names_the_base(load: Load) -> None:
    base = HEAD.replace('"mine"', '"base"') + "[services.market]\nminutes = 15"
    with pytest.raises(PolicyError) as caught:
        load("", head=HEAD.replace("kunming-2022-77", "base"), base=base)
    assert caught.value.params["file"] == "base.toml"


@pytest.mark.parametrize(
    ("head", "key"),
    [
        ('extends = "kunming-2022-77"', "policy_no_identity"),
        ('id = "mine"\nextends = "kunming-2022-77"', "policy_no_identity"),
        (HEAD.replace("kunming-2022-77", "kunming-2035"), "policy_extends_unknown"),
        (HEAD.replace("kunming-2022-77", "../kunming"), "policy_bad_value"),
        (HEAD.replace('"kunming-2022-77"', '["cn-15min"]'), "policy_bad_value"),
        (HEAD.replace("kunming-2022-77", "mine"), "policy_extends_unknown"),
        ('part = "no"\n' + HEAD, "policy_bad_value"),
        ("part = true\n" + HEAD, "policy_is_part"),
        (HEAD.replace('extends = "kunming-2022-77"', ""), "policy_missing_key"),
        ("id = 'mine", "policy_not_toml"),
        (HEAD.replace('"mine"', '"m i"'), "policy_bad_id"),
    ],
)
def test_heads_that_are_refused(head: str, key: str, load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load("", head=head)
    assert caught.value.key == key
    assert caught.value.params["file"] == "mine.toml"
    assert caught.value.text("zh").startswith("mine.toml")


def test_files_that_extend_each_other_in_a_ring(load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load("", HEAD.replace("kunming-2022-77", "base"),
             base=HEAD.replace('"mine"', '"base"').replace("kunming-2022-77", "mine"))  # fmt: skip
    assert caught.value.key == "policy_extends_cycle"
    assert "mine.toml → base.toml → mine.toml" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as unknown:
        load_policy("kunming")
    assert unknown.value.key == "policy_unknown"
    assert "kunming-2022-77" in str(unknown.value)
    with pytest.raises(PolicyError) as missing:
        load_policy(tmp_path / "none.toml")
    assert missing.value.key == "policy_unreadable"
    with pytest.raises(PolicyError) as folder:
        load_policy(tmp_path)
    assert folder.value.key == "policy_unreadable"
    picture = tmp_path / "picture.toml"
    picture.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(PolicyError) as encoded:
        load_policy(str(picture))
    assert "save it as UTF-8" in str(encoded.value)


# ---- extending ------------------------------------------------------------------------------


def test_a_policy_of_one_s_own_changes_what_it_names_and_nothing_else(load: Load) -> None:
    mine, base = load(f"[services.market]\nminutes = {cited(12)}"), load_policy()
    assert (mine.id, mine.title.zh) == ("mine", "我的")
    assert mine.services["market"].minutes.value == 12
    assert mine.services["market"].minutes.source == "某区2026年实施方案"
    assert mine.services["market"].osm == base.services["market"].osm
    assert {k: v for k, v in mine.services.items() if k != "market"} == {
        k: v for k, v in base.services.items() if k != "market"
    }
    assert (mine.walk, mine.circles, mine.gaps) == (base.walk, base.circles, base.gaps)


def test_a_new_service_and_a_list_replaced_whole(load: Load) -> None:
    mine = load(
        '[services.tea]\nzh = "茶馆"\nen = "Tea house"\ntier = "upgraded"\nattachment = "outline"\n'
        f'minutes = {cited(15)}\n[circles.convenience]\nservices = ["tea", "market"]\n'
        '[services.market]\naliases = ["街子"]'
    )
    assert mine.circles["convenience"].services == ("tea", "market")
    assert mine.services["market"].aliases == ("街子",)
    assert mine.services["tea"].osm == ()


def test_a_file_may_stand_before_the_packaged_one_of_its_name(tmp_path: Path) -> None:
    text = HEAD.replace('"mine"', '"cn-15min"').replace("kunming-2022-77", "cn-15min")
    path = tmp_path / "cn-15min.toml"
    path.write_text(text + f"[services.market]\nminutes = {cited(12)}", encoding="utf-8")
    assert load_policy(path).services["market"].minutes.value == 12
    assert load_policy("cn-15min").services["market"].minutes.value == 10


def test_the_digest_follows_the_content_of_all_files_and_no_comment(load: Load) -> None:
    body = f"[services.market]\nminutes = {cited(12)}"
    first = load(body)
    assert re.fullmatch("[0-9a-f]{64}", first.digest)
    assert load(body + "\n# a remark\n\n").digest == first.digest
    assert load(body.replace("12", "13")).digest != first.digest
    assert load_policy().digest == load_policy().digest
    assert len({load_policy().digest, load_policy("cn-15min").digest, first.digest}) == 3
    head = HEAD.replace("kunming-2022-77", "base")
    base = HEAD.replace('"mine"', '"base"')
    through = load("", head, base=base).digest
    assert load("", head, base=base + f"[gaps]\nlink_m = {cited(99)}").digest != through
    levels = '[unit_levels]\nblock = { zh = "组", en = "Block" }\nlane = { zh = "巷", en = "Lane" }'
    swapped = "\n".join([levels.split("\n")[i] for i in (0, 2, 1)])
    assert load(levels).digest != load(swapped).digest
