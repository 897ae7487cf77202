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
# # 6 · For planners: your area in ten cells 规划人员十步用法
#
# Opens `workspace/` where this notebook is started, if an area is built there; otherwise a tiny invented town stands in
# (小城，虚构数据). Change `area`, `service` and `minutes`, then run everything again.
#
# 在本笔记本所在位置有 `workspace/` 时打开其中的区域，否则用一个虚构的小城代替。改下面三个值，再全部重新运行即可。

# %%
from pathlib import Path

import lifecircle as lc

here = lc.open("workspace") if Path("workspace").is_dir() else {}
area = here[next(iter(here))] if len(here) else lc.tiny_town()
service, minutes = "health_centre", 15
area

# %% [markdown]
# ## Who is reached 谁在步行范围内
#
# **P** is the share of residents who walk to the nearest one in time. `residents` and `covered` are persons.

# %%
reached = area.coverage(service, minutes)
reached[["name", "residents", "covered", "P"]].sort_values("P").head(10)

# %%
total = reached.attrs["total"][service]
print(f"{total['covered']:,} of {total['residents']:,} residents: P {total['P']:.1%}")
assert total["covered"] <= total["residents"]

# %% [markdown]
# ## Who is not, where, and why 谁不在、在哪里、为什么

# %%
lacking = area.gaps(service, minutes)
lacking[["unit_name", "residents", "reason", "minutes_to_nearest"]].head(10)

# %%
area.map("gaps", service, minutes, lang="zh")

# %% [markdown]
# ## What one more place would change 增设一处会怎样
#
# A place in the middle of the worst gap. Nothing is kept.

# %%
worst = lacking[lacking["reason"] != "over_capacity"].iloc[0]
middle = worst.geometry.representative_point()
after = area.what_if(add=[(service, middle.x, middle.y)], minutes=minutes)
after[["name", "covered_before", "covered_after", "P_before", "P_after"]].head(10)

# %% [markdown]
# ## Into your own GIS 导出到自己的 GIS

# %%
lacking.to_file("gaps.gpkg", layer="gaps")
print(f"gaps.gpkg: {len(lacking)} gaps")

# %% [markdown]
# ## In one sentence 结论

# %%
gained = after.attrs["total"][service]["gained"]
print(
    f"Within {minutes} minutes {total['P']:.0%} of residents reach a {service.replace('_', ' ')}; "
    f"one more at {middle.y:.4f} N, {middle.x:.4f} E would reach {gained:,} more."
)
assert gained > 0
