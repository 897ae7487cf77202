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
# # 2 · How long every walk takes 步行时间
#
# **Synthetic city, 合成数据.** Streets, residents, units and facilities become a city; then the walk of every
# populated cell to the nearest facility of every service is computed, and compared with what is known beforehand.
#
# 街道、人口、单元和设施合成一个城市，计算每个人口单元格到每类服务最近设施的步行距离，再与事先已知的答案对照。

# %%
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd

from lifecircle.analysis.access.isochrone import isochrones
from lifecircle.analysis.access.walking import leg_cm, walk_costs
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.truth.write import write_springcity_with_truth
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.quantities import CM_PER_M, UNREACHED_CM, limit_cm, minutes_of

folder = TemporaryDirectory()
files = write_springcity_with_truth(Path(folder.name), scale=0.1)
manifest, policy, city, travel = analyse_city(springcity_request(files))
print(
    f"{manifest.residents:,} residents in {len(city.cells):,} cells, {len(city.facilities):,} facilities"
)
pd.Series(manifest.timings_s, name="seconds")

# %% [markdown]
# ## The table of walks 步行距离表
#
# One row per service, one column per cell: whole centimetres to the nearest facility, without a bound, and which facility.
# Minutes follow from the walker's speed.

# %%
walks = pd.DataFrame(
    {
        walker.title.en: [
            np.nanmedian(minutes_of(travel.cell_cm[travel.row(service)], walker.speed_m_per_s))
            for service in ("pharmacy", "market", "health_centre", "park")
        ]
        for walker in policy.walkers.values()
    },
    index=["pharmacy", "market", "health_centre", "park"],
)
walks.round(1).rename_axis("median minutes of the cells")

# %% [markdown]
# ## Against the truth table 与真值表对照
#
# The generator writes what must come out: metres to the nearest health centre and pharmacy for every cell, by a plain
# Dijkstra that shares no code with `lifecircle.analysis.access`.

# %%
truth = pd.read_csv(files.truth_cells).set_index("cell")
cells = pd.Index(city.cells.id.astype(str))
for service in ("health_centre", "pharmacy"):
    cm = travel.cell_cm[travel.row(service)]
    ours = pd.Series(np.where(cm == UNREACHED_CM, np.nan, cm / CM_PER_M), index=cells)
    told = truth[f"{service}_m"].reindex(cells)
    both = ours.notna() & told.notna()
    difference = (ours[both] - told[both]).abs()
    print(f"{service}: {both.sum():,} cells, largest difference {difference.max():.3f} m")
    assert both.sum() > 1000
    assert (ours.isna() == told.isna()).all()
    assert difference.max() < 0.2

# %% [markdown]
# Four cells stand beside a straight pier with a pharmacy on it: their walks are known to the centimetre.

# %%
for walk in json.loads(files.truth.read_text(encoding="utf-8"))["walks"]:
    found = travel.cell_cm[travel.row(walk["service"]), cells.get_loc(walk["cell"])] / CM_PER_M
    print(f"{walk['cell']}: {found:.2f} m, truth {walk['metres']:.2f} m")
    assert abs(found - walk["metres"]) <= 0.02

# %% [markdown]
# ## One walk by hand 手工走一遍
#
# Access leg, along the edge to one of its ends, through the network, along the edge, access leg. Here with networkx:
# every facility of the service and the cell become nodes of the graph.

# %%
service = "health_centre"
row = travel.row(service)
chosen = int(np.argmax(np.where(travel.cell_cm[row] == UNREACHED_CM, -1, travel.cell_cm[row])))
graph = city.network.to_networkx()


def join(name: str, edge: int, at_m: float, leg_m: float) -> None:
    """Make a place a node: its leg and its way along the edge to both ends."""
    u, v = int(city.network.edge_u[edge]), int(city.network.edge_v[edge])
    graph.add_edge(name, u, length_m=leg_m + at_m)
    graph.add_edge(name, v, length_m=leg_m + float(city.network.edge_length_m[edge]) - at_m)


places = city.facilities
mine = places.service[places.attached_facility] == places.service_ids.index(service)
for i in np.flatnonzero(mine):
    position = places.attachment
    join(f"facility {i}", int(position.edge[i]), float(position.at_m[i]), float(position.leg_m[i]))
home = city.cells.position
join("home", int(home.edge[chosen]), float(home.at_m[chosen]), float(home.leg_m[chosen]))
metres = nx.single_source_dijkstra_path_length(graph, "home", weight="length_m")
by_hand = min(metres[f"facility {i}"] for i in np.flatnonzero(mine) if f"facility {i}" in metres)
ours = travel.cell_cm[row, chosen] / CM_PER_M
print(f"cell {cells[chosen]}: {ours:,.2f} m, by hand {by_hand:,.2f} m")
assert abs(ours - by_hand) < 0.2

# %% [markdown]
# ## Isochrones 等时圈
#
# For the eye: land along reached streets, with holes and islands. Residents are never counted with them.

# %%
adult = policy.walkers["adult"]
costs = walk_costs(city.network)
origin = home.take(np.array([int(np.argmax(city.cells.residents))]))
print("access leg of the origin:", leg_cm(origin)[0], "cm")
minutes = [15, 10, 5]
shapes = isochrones(
    city.network, costs, origin, [limit_cm(one, adult.speed_m_per_s) for one in minutes]
)
frame = gpd.GeoDataFrame({"minutes": minutes}, geometry=shapes, crs=city.crs)
assert frame.area.is_monotonic_decreasing
axes = frame.plot(column="minutes", cmap="Blues_r", figsize=(6, 6))
axes.set_axis_off()
axes.set_title("5, 10, 15 minutes on foot (synthetic)")
frame.assign(km2=(frame.area / 1e6).round(3))[["minutes", "km2"]]

# %%
folder.cleanup()
