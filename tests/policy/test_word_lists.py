"""Named lists of words, and words in names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy import Policy, TagRule, load_policy
from lifecircle.analysis.policy.names import folded, has_word, names_of
from tests.policy.test_policy_refusals import HEAD

LIST = 'source = "notice"\nclause = "附表"\nconfidence = "verified"\n'

Load = Callable[[str], Policy]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def written(body: str) -> Policy:
        path = tmp_path / "mine.toml"
        path.write_text(HEAD + body, encoding="utf-8")
        return load_policy(path)

    return written


def rule_of(policy: Policy) -> TagRule:
    return policy.services["laundry"].osm[0]


def test_a_name_stands_for_the_words_of_its_list(load: Load) -> None:
    policy = load(
        "[services.laundry]\n"
        'osm = [{ tags = { shop = ["@kinds", "dry_cleaning"] }, name_lacks = ["@both", "洗车"] }]\n'
        f'[lists.kinds]\n{LIST}values = ["laundry"]\n'
        f'[lists.hotels]\n{LIST}zh = ["酒店", "宾馆"]\nen = ["hotel*"]\n'
        f'[lists.both]\n{LIST}of = ["hotels", "kinds"]\nen = ["inn"]\n'
    )
    rule = rule_of(policy)
    assert rule.tags["shop"] == ("laundry", "dry_cleaning")
    assert rule.name_lacks == ("酒店", "宾馆", "hotel*", "laundry", "inn", "洗车")
    assert rule.matches({"shop": "laundry", "name": "洁净洗衣"})
    assert not rule.matches({"shop": "laundry", "name": "翠湖宾馆洗衣房"})


def test_a_policy_of_ones_own_adds_to_a_list(load: Load) -> None:
    """A word more in one list reaches every rule that names it."""
    said = {"amenity": "clinic", "name": "泰康名医馆"}
    assert any(rule.matches(said) for rule in load("").services["health_station"].osm)
    mine = load('[lists.traditional_medicine]\nzh = ["名医馆"]\n')
    assert not any(rule.matches(said) for rule in mine.services["health_station"].osm)
    western = {"amenity": "clinic", "name": "Ayurveda Clinic"}  # the other languages stay
    assert not any(rule.matches(western) for rule in mine.services["health_station"].osm)


@pytest.mark.parametrize(
    ("body", "key", "path"),
    [
        ('[services.laundry]\nosm = [{ tags = { shop = ["@nothing"] } }]',
         "policy_unknown_list", "services.laundry.osm.1.tags.shop"),
        ('[services.laundry]\nosm = [{ tags = { shop = ["x"] }, name_has = ["@nothing"] }]',
         "policy_unknown_list", "services.laundry.osm.1.name_has"),
        (f'[lists.a]\n{LIST}of = ["b"]\n[lists.b]\n{LIST}of = ["a"]',
         "policy_list_ring", "lists.a"),
        (f'[lists.a]\n{LIST}of = ["nothing"]', "policy_unknown_list", "lists.a"),
        (f"[lists.a]\n{LIST}", "policy_list_empty", "lists.a"),
        (f"[lists.a]\n{LIST}zh = []", "policy_list_empty", "lists.a"),
        ('[lists.a]\nzh = ["x"]', "policy_no_citation", "lists.a"),
        ('[lists.a]\nzh = ["x"]\nsource = "nobody"\nclause = "1"\nconfidence = "verified"',
         "policy_unknown_source", "lists.a.source"),
        ("[life_cycle]\ngone = []", "policy_empty", "life_cycle.gone"),
    ],
)  # fmt: skip
def test_what_is_refused(body: str, key: str, path: str, load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load(body)
    faults = {(fault.key, fault.params["path"]) for fault in caught.value.faults}
    assert (key, path) in faults
    for lang in ("zh", "en"):
        assert "mine.toml" in caught.value.text(lang)


def test_every_list_is_cited_and_used() -> None:
    import tomllib
    from importlib.resources import files

    folder = files("lifecircle.analysis").joinpath("policies")
    words = tomllib.loads(folder.joinpath("osm-words.toml").read_text(encoding="utf-8"))
    rules = folder.joinpath("osm-tags.toml").read_text(encoding="utf-8")
    lists = words["lists"]
    inside = {name for table in lists.values() for name in table.get("of", [])}
    unused = [name for name in lists if f'"@{name}"' not in rules and name not in inside]
    assert not unused
    for name, table in lists.items():
        assert {"source", "clause", "confidence"} <= set(table), name
        for held in filter(lambda held: isinstance(held, list), table.values()):
            assert len(held) == len(set(held)), name


# ---- words in names -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "word", "there"),
    [
        ("Barbara Clinic", "bar", False),
        ("Strand bar", "bar", True),
        ("BAR-Restaurant", "bar", True),
        ("Dentaria", "dent*", True),
        ("Residente", "dent*", False),
        ("Senaatintori", "*tori", True),
        ("UNIDADE BASICA DE SAUDE", "unidade básica de saúde", True),
        ("Unidade Básica  de-Saúde", "unidade básica de saúde", True),
        ("Ċentru tas-Saħħa", "centru tas-sahha", True),
        ("精益口腔Dental", "dental", True),
        ("翠湖社区卫生服务中心", "卫生服务中心", True),
        ("ＫＦＣ", "kfc", True),
        ("7-Eleven", "7-eleven", True),
        ("L'Ospedale", "ospedale", True),
    ],
)  # fmt: skip
def test_a_word_in_a_name(name: str, word: str, there: bool) -> None:
    assert has_word(names_of({"name": name}), (word,)) is there


def test_which_tags_are_names() -> None:
    words = ("湖",)
    for key in ("name", "name:zh", "name:zh-Hant", "alt_name", "official_name", "short_name:zh"):
        assert has_word(names_of({key: "翠湖"}), words), key
    for key in ("operator", "old_name", "name:etymology", "name:source", "addr:housename", "brand"):
        assert not has_word(names_of({key: "翠湖"}), words), key
    assert not has_word(names_of({"name": "翠", "alt_name": "湖"}), ("翠湖",))


LETTERS = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)


@given(LETTERS, LETTERS, LETTERS)
def test_a_latin_word_is_found_by_itself_only(before: str, word: str, after: str) -> None:
    assert has_word(names_of({"name": f"{before} {word.upper()} {after}"}), (word,))
    assert has_word(names_of({"name": word}), (word,))
    longer = f"{before}{word}{after}"
    assert has_word(names_of({"name": longer}), (word,)) is (folded(longer) == folded(word))
