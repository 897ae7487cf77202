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
# # 1 · From a file to a walking network 从文件到步行路网
#
# **Synthetic city, 合成数据.** The ready-made city *springcity* is written as ordinary input files,
# then its streets are read and become a network: junctions, edges with their true shape, geodesic lengths.
#
# 先把示范市写成普通的输入文件，再读取街道，得到步行路网：路口、保留真实线形的边、椭球面上的长度。

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import networkx as nx
import numpy as np

from lifecircle.analysis.city.crs import to_lonlat, to_metric
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import read_streets

folder = TemporaryDirectory()
files = write_springcity(Path(folder.name), scale=0.1)
sorted(path.name for path in Path(folder.name).iterdir())

# %% [markdown]
# ## Who may walk where 哪些路可以走
#
# The rules are data: `analysis/policies/walk.toml`. Each number of a policy has a source, a clause and a confidence.

# %%
policy = load_policy("kunming-2022-77")
print(policy.title.zh, "|", policy.title.en)
print("never:", ", ".join(sorted(policy.walk.highway_no)))
policy.attachment.max_leg_m

# %%
for tags in (
    {"highway": "residential"},
    {"highway": "cycleway"},
    {"highway": "service", "access": "private"},
    {"highway": "service", "access": "private", "foot": "yes"},
    {"highway": "motorway", "foot": "yes"},
):
    print(policy.walk.walkable(tags), tags)

# %% [markdown]
# ## The network 路网
#
# Nodes where only two segments meet are no junctions: everything between two junctions is one edge.

# %%
streets = read_streets(files.osm, policy.walk)
network = build_network(streets)
print(f"{len(streets.way_id):,} walkable ways, {len(np.unique(streets.node_ref)):,} nodes")
print(f"{network.node_count:,} junctions, {network.edge_count:,} edges in {network.crs}")
print(f"{network.edge_length_m.sum() / 1000:,.1f} km walkable")
assert network.node_count < len(np.unique(streets.node_ref))

# %%
edges = gpd.GeoDataFrame(
    {
        "way": network.edge_way,
        "length_m": network.edge_length_m,
        "component": network.edge_component,
    },
    geometry=network.lines(),
    crs=network.crs,
)
edges.head()

# %% [markdown]
# Components are kept and labelled. Only those with enough walkable length to live in are joined by cells and facilities.

# %%
parts = np.sort(network.component_length_m)[::-1]
print("km of the largest components:", np.round(parts[:5] / 1000, 1))
print("joined:", int((parts >= policy.attachment.min_component_m.value).sum()), "of", len(parts))

# %%
axes = edges.plot(column="component", cmap="tab10", linewidth=0.5, figsize=(7, 7))
axes.set_axis_off()
axes.set_title("springcity (synthetic): walkable ways by component")

# %% [markdown]
# ## A place joins the streets 一个地点怎样接入道路
#
# It joins a *position on an edge*, not a node: the edge, how far along it, and a straight access leg.

# %%
index = EdgeIndex.build(network, policy.attachment.min_component_m.value)
busiest = int(np.argmax(np.bincount(np.concatenate((network.edge_u, network.edge_v)))))
place = network.node_xy_m[[busiest]] + np.array([[30.0, 12.0]])
at = index.snap(place, policy.attachment.max_leg_m.value)
lon, lat = to_lonlat(at.xy_m, network.crs)[0]
print(
    f"edge {at.edge[0]}, {at.at_m[0]:.2f} m along it, leg {at.leg_m[0]:.2f} m, at {lon:.6f} {lat:.6f}"
)
assert bool(at.snapped[0])

# %%
far = to_metric(np.array([[103.5, 25.9]]), network.crs)
print("far from every street:", "snapped" if index.snap(far, 250.0).snapped[0] else "unsnapped")

# %% [markdown]
# ## For networkx 交给 networkx
#
# The graph for people. The figures do not come from it, but agree with it.

# %%
graph = network.to_networkx()
metres = nx.single_source_dijkstra_path_length(graph, busiest, cutoff=1000, weight="length_m")
print(f"{len(metres)} junctions within 1,000 m of junction {busiest}")
assert max(metres.values()) <= 1000

# %%
folder.cleanup()
