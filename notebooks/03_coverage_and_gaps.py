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
# # 3 · Who is reached, who is not, where 覆盖率、缺口、地图
#
# **Synthetic city, 合成数据.** An area is built into a workspace as `lifecircle build` does it, then coverage, circles
# and gaps are asked, drawn and exported. HTTP and the command give the same numbers.
#
# 与 `lifecircle build` 相同，把区域构建到工作区，再查询覆盖率、生活圈和缺口，画图、导出。

# %%
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import lifecircle as lc
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.truth.write import write_springcity_with_truth
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.results.export import export_layer

folder = TemporaryDirectory()
home = Path(folder.name)
files = write_springcity_with_truth(home / "input", scale=0.1)
workspace = lc.Workspace(home / "workspace")
run = build_area(springcity_request(files), workspace)
truth = json.loads(files.truth.read_text(encoding="utf-8"))
print(workspace.areas(), run.manifest.run)
area = lc.Area(run)
assert area.residents == truth["residents"]
area

# %% [markdown]
# ## Coverage 覆盖率
#
# **U** counts units with a facility, **P** residents who walk there in time, **L** residential land within reach.
# They differ; each is quoted with its letter. Residents are conserved to the person.

# %%
health = lc.coverage(run.study, lc.Question("health_centre", by="subdistrict"))
table = area.coverage("health_centre", by="subdistrict")
table[["name", "residents", "covered", "unsnapped", "cut_off", "U", "P", "L"]].sort_values(
    "P"
).head(8)

# %%
total = health.total
print(f"{health.minutes:g} minutes: P {total.P:.1%}, P_core {total.P_core:.1%}, U {total.U:.1%}")
print(
    f"{total.residents:,} residents, {total.covered:,} covered, {total.unsnapped:,} far from any street"
)
assert total.residents == truth["residents"]
assert total.unsnapped == truth["unsnapped"]["residents"]
assert total.cut_off == truth["cut_off"]["residents"]

# %% [markdown]
# The same question for other walkers, groups and minutes.

# %%
answers = [
    {"walker": walker, "group": group, "minutes": minutes, "P": found.total.P}
    for walker in ("adult", "older")
    for group in ("total", "65")
    for minutes in (10, 15, 20)
    for found in [lc.coverage(run.study, lc.Question("health_centre", minutes, walker, group))]
]
frame = pd.DataFrame(answers).pivot(index=["walker", "group"], columns="minutes", values="P")
assert (frame.diff(axis=1).iloc[:, 1:] >= 0).all().all()
frame.round(3)

# %% [markdown]
# ## Not assessed is not zero 未评估不等于零
#
# `burial_facility` was declared surveyed and there is none: everyone is in a gap, and P is 0. A service that nobody surveyed
# and that has no row is null instead, with a reason.

# %%
burial = lc.coverage(run.study, lc.Question("burial_facility")).total
print("burial_facility, surveyed, none found: P =", burial.P)
assert burial.P == 0

# %%
undeclared = replace(run.city, surveyed=frozenset())
answer = lc.coverage(replace(run.study, city=undeclared), lc.Question("burial_facility"))
print("burial_facility, nobody looked: P =", answer.total.P)
print([remark.text("zh") for remark in answer.warnings])
print([remark.text("en") for remark in answer.warnings])
assert answer.total.P is None
assert answer.warnings

# %% [markdown]
# ## Gaps 缺口
#
# Connected groups of uncovered cells, most residents first, each with a reason.

# %%
found = lc.Area(replace(run, catchments={})).gaps("health_centre")
uncovered = total.residents - total.covered
assert found["residents"].sum() == uncovered
found[["residents", "reason", "minutes_to_nearest", "unit_name"]].head(10)

# %%
by_reason = found["reason"].value_counts()
assert {"too_far", "cut_off", "unsnapped"} <= set(by_reason.index)
by_reason

# %% [markdown]
# ## Circles 生活圈

# %%
for kind in ("convenience", "fitness"):
    answer = lc.circles(run.study, lc.Question(by="subdistrict"), kind=kind).total
    print(
        kind,
        f"complete {answer.complete:,}, incomplete {answer.incomplete:,}, not assessed {answer.not_assessed:,}",
    )
    assert answer.complete + answer.incomplete + answer.not_assessed == answer.residents

# %% [markdown]
# ## Map 地图
#
# A folium map that asks nothing of any other server. Add folium's own layers to it as usual.

# %%
area.map("gaps", "health_centre", lang="zh")

# %% [markdown]
# ## Layers and files 图层与文件

# %%
layer = area.layer("gaps")
export_layer(run, "gaps", home / "gaps.geojson")
export_layer(run, "units", home / "units.xlsx")
print(
    len(layer), "gaps of all services,", (home / "gaps.geojson").stat().st_size, "bytes of GeoJSON"
)
layer.head(3)

# %% [markdown]
# ## In one sentence 结论

# %%
print(
    f"{total.P:.1%} of residents walk to a health centre within {health.minutes:g} minutes; "
    f"the {uncovered:,} others live in {len(found)} gaps, each with its reason."
)

# %%
folder.cleanup()
