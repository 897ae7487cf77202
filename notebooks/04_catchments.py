# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · One centre too few: the story of a subdistrict 一个街道的故事
#
# **Synthetic city, 合成数据.** The plan wants one government-run community health centre in every 街道, **or** one for
# every 30,000–100,000 residents. One subdistrict of springcity has a centre, so it is 达标, and yet its centre is full.
# Who goes there, who would have to go elsewhere, and what does it cost them?
#
# 规划要求每个街道 1 所，**或**每 3 万—10 万居民 1 所政府举办的社区卫生服务中心。示范市有一个街道达标，但中心超载。

# %%
import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import lifecircle as lc
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.truth.write import write_springcity_with_truth
from lifecircle.analysis.measures.catchments.catchments import UNLIMITED
from lifecircle.analysis.measures.catchments.population_rule import population_rule
from lifecircle.analysis.pipeline import build_area
from lifecircle.service.maps.pages import Page, map_of

folder = TemporaryDirectory()
home = Path(folder.name)
files = write_springcity_with_truth(home / "input", scale=0.1)
run = build_area(springcity_request(files), lc.Workspace(home / "workspace"))
truth = json.loads(files.truth.read_text(encoding="utf-8"))
city = run.city

# %% [markdown]
# ## The rule, street by street 逐街道判定
#
# Reading **A**: the street has a government-run centre. Reading **B**: its residents over its centres (streets without
# one join the street where most of their people go) lie between 30,000 and 100,000. Met when A **or** B.

# %%
rule = population_rule(run.study)
table = pd.DataFrame([asdict(row) for row in rule.rows]).drop(columns=["notes"])
print(dict(rule.states))
print(
    f"needed for {rule.residents:,} residents: {rule.needed_from}–{rule.needed_to}, government-run: {rule.government}"
)
table[
    [
        "name",
        "residents",
        "government",
        "private",
        "unknown",
        "reading_a",
        "reading_b",
        "state",
        "needed_from",
        "needed_to",
    ]
]

# %%
planted = next(row for row in truth["rule"] if row["role"] == "overloaded")
full = next(row for row in rule.rows if row.code == planted["unit_code"])
assert full.state == "达标但超载" and full.residents == planted["residents"]
print(
    full.name, f"{full.residents:,} residents, {full.government} centre;", full.notes[0].text("zh")
)

# %% [markdown]
# ## Everyone to the nearest 就近
#
# Loads as people walk, without a limit. The centre of our street is far above 100,000.

# %%
found = lc.catchments(run.study, lc.Question("health_centre", minutes=UNLIMITED))
name = city.facilities.name
loads = pd.DataFrame(
    {
        "centre": [str(name[c.facility]) for c in found.natural.centres],
        "nearest": [c.load for c in found.natural.centres],
        "state": [c.state for c in found.natural.centres],
        "balanced": [c.load for c in found.balanced.centres],
        "state_balanced": [c.state for c in found.balanced.centres],
    }
)
loads.sort_values("nearest", ascending=False)

# %%
here = city.facilities.unit["subdistrict"][[c.facility for c in found.natural.centres]] == full.unit
ours = int(np.flatnonzero(here)[0])
centre = found.natural.centres[ours]
assert centre.state == "overload" and centre.load - centre.maximum == centre.overload
print(name[centre.facility], f"{centre.load:,}, {centre.overload:,} above its maximum")

# %% [markdown]
# ## What the rule allows 均衡
#
# Maxima are hard. First as few unserved as possible, then as little underload, then as little walking. The bound is
# proven: nobody can do it with less walking.

# %%
natural, balanced = found.natural, found.balanced
assert balanced.part.proven and balanced.bound == balanced.person_minutes
assert balanced.centres[ours].load <= balanced.centres[ours].maximum
assert balanced.served + balanced.reachable_full + balanced.unreachable == found.residents
more = (balanced.person_minutes - natural.person_minutes) / balanced.served
print(
    f"unserved {balanced.reachable_full + balanced.unreachable:,}, underload {balanced.underload:,}, "
    f"{balanced.split_cells} cells split, {more:.1f} minutes more per person"
)

# %% [markdown]
# Who has to go elsewhere? Those who leave our centre, by the centre that takes them.

# %%
was = np.zeros(len(city.cells), dtype=np.int64)
mine = natural.part.centre == ours
was[natural.part.cell[mine]] = natural.part.persons[mine]
stay = balanced.part.centre == ours
moved = ~stay & (was[balanced.part.cell] > 0)
to = (
    pd.Series(balanced.part.persons[moved])
    .groupby([str(name[balanced.centres[row].facility]) for row in balanced.part.centre[moved]])
    .sum()
    .sort_values(ascending=False)
)
print(f"{int(to.sum()):,} people change")
to

# %% [markdown]
# ## Within fifteen minutes 十五分钟之内
#
# Reading **C** counts residents who are served once capacity is respected, at the same minutes as **P**. P ≥ C always.

# %%
within = run.catchments["health_centre"]
answer = lc.coverage(run.study, lc.Question("health_centre", by="subdistrict"))
rows = pd.DataFrame([asdict(row) for row in (answer.total, *answer.units)])
assert (rows["P"].fillna(1) >= rows["C"].fillna(0)).all()
print(
    f"in reach but full {within.balanced.reachable_full:,}, out of reach {within.balanced.unreachable:,}"
)
rows.loc[rows["code"].isin(["total", full.code]), ["name", "residents", "covered", "P", "C"]]

# %% [markdown]
# ## Cells kept whole, borders closed 不拆分、不跨街道
#
# A cell need not be split, at a stated cost; and when funding follows the street, borders may close.

# %%
whole = lc.catchments(run.study, lc.Question("health_centre", minutes=UNLIMITED), whole=True).balanced
closed = lc.catchments(run.study, lc.Question("health_centre", minutes=UNLIMITED), closed=True).balanced
assert whole.split_cells == 0
print(
    f"whole cells: unserved {whole.reachable_full + whole.unreachable:,}, underload {whole.underload:,}, "
    f"{whole.person_minutes / whole.bound - 1:+.3%} minutes against the bound"
)
print(f"closed: full {closed.reachable_full:,}, out of reach {closed.unreachable:,}")
assert closed.served <= balanced.served

# %% [markdown]
# ## Map 地图

# %%
map_of(run, "catchments", lc.Question("health_centre"), Page(solution="natural", lang="zh"))

# %%
layer = lc.Area(run).layer("catchments")
layer[layer["solution"] == "balanced"].drop(columns="geometry").head()

# %%
folder.cleanup()
