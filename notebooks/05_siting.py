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
# # 5 · Where the next centres go 选址、试算、可达性
#
# **Synthetic city, 合成数据.** Which places should be next, how sure is that, what would one place
# change, and who has how much of what there is. `lifecircle site` and HTTP give the same numbers.
#
# 下一批设施建在哪里、有多大把握、建一处会带来什么变化、现有资源人均多少。

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import lifecircle as lc
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.measures.siting.candidates import generated_sites, places_of_kinds
from lifecircle.analysis.measures.what_if import Addition
from lifecircle.analysis.pipeline import build_area

folder = TemporaryDirectory()
home = Path(folder.name)
files = write_springcity(home / "input", scale=0.1)
run = build_area(springcity_request(files), lc.Workspace(home / "workspace"))
city, travel, policy = run.city, run.travel, run.policy
service, limit_cm = "health_centre", 100_000

# %% [markdown]
# ## Candidates 候选点
#
# Places on the streets where people live, from which someone not yet covered is within reach; or
# existing public buildings. Nothing is left out for being far.

# %%
lacking = travel.cell_cm[travel.row(service)] > limit_cm
sites = generated_sites(city, run.study.costs, policy.siting.spacing_m.value, lacking, limit_cm)
buildings = places_of_kinds(city, policy, service, [])
print(len(sites), "places on the streets,", len(buildings), "public buildings of other kinds")

# %% [markdown]
# ## Five more 再建五处
#
# Existing centres stay. The bound says how much better any other five could be.

# %%
found = lc.site(run.study, lc.Question(service), sites, add=5, time_limit_s=20)
table = pd.DataFrame(
    {
        "site": [sites.id[p.site] for p in found.proposals],
        "unit": [p.unit_name for p in found.proposals],
        "residents_new": [p.residents_new for p in found.proposals],
        "of them 65+": [p.groups_new["65"] for p in found.proposals],
        "within reach": [p.residents_reached for p in found.proposals],
    }
)
print(f"{found.covered_before:,} -> {found.covered_after:,} of {found.residents:,} residents")
print(f"gained {found.value:,.0f}, bound {found.bound:,.0f}, proven {found.proven}, {found.method}")
assert found.covered_after - found.covered_before == table["residents_new"].sum()
assert found.bound >= found.value
table

# %% [markdown]
# In public buildings only 只用现有公共建筑:

# %%
inside = lc.site(run.study, lc.Question(service), buildings, add=5)
for proposal in inside.proposals:
    kind = policy.services[buildings.kind[proposal.site]].title
    print(f"+{proposal.residents_new:,}", buildings.name[proposal.site], kind.zh, kind.en)

# %% [markdown]
# ## How many for how much 建几处能覆盖多少
#
# The curve starts at what is covered today and never falls.

# %%
share = found.curve / found.residents
assert found.curve[0] == found.covered_before
assert (np.diff(found.curve) >= 0).all()
plt.plot(share)
plt.axhline(0.9, linestyle=":")
plt.xlabel("more sites")
plt.ylabel("share of residents covered")
plt.ylim(0, 1)
plt.show()

# %%
ninety = lc.site(run.study, lc.Question(service), sites, target=0.9, time_limit_s=20)
print(f"{ninety.value:.0f} sites reach 90 %; fewer than {ninety.bound:.0f} cannot")
assert ninety.covered_after >= 0.9 * ninety.residents

# %% [markdown]
# ## Within capacity 考虑容量
#
# Each centre for 30,000 to 100,000 residents (the plan): fewest unserved, then least below the floors.

# %%
full = lc.site(run.study, lc.Question(service), sites, add=2, objective="capacity")
print(f"unserved {full.loads.unserved_before:,} -> {full.loads.unserved:,}")
print(f"below the floors {full.loads.underload_before:,} -> {full.loads.underload:,}")

# %% [markdown]
# ## What if 试算
#
# One place more, relaxed against the walks of the run; nothing is stored.

# %%
first = sites.of(found.proposals[0].site)
(change,) = lc.what_if(run.study, lc.Question(), add=[Addition(service, first)])
print(
    f"+{change.gained:,} residents, coverage {change.total.P_before:.1%} -> {change.total.P_after:.1%}"
)
assert change.gained == found.proposals[0].residents_new

# %% [markdown]
# ## Who has how much 供需可达性
#
# Floating catchments: what there is, shared among those within reach.

# %%
access = {
    m: lc.floating(run.study, lc.Question(service, by="subdistrict"), method=m)
    for m in ("2sfca", "e2sfca", "3sfca")
}
for method, told in access.items():
    given = float((told.access * city.cells.residents).sum())
    assert abs(given - told.supply) < 1e-9 * max(1, told.supply)
    print(
        f"{method}: {1e5 * told.total.access:.2f} centres per 100,000; {told.total.none:,} residents have none"
    )
pd.DataFrame(
    {
        row.name: {m: told.units[k].access for m, told in access.items()}
        for k, row in enumerate(access["2sfca"].units[:6])
    }
).T

# %% [markdown]
# ## The map 地图

# %%
lc.Area(run).map("proposals", service, lang="zh")
