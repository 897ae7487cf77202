"""An audit of a served area: every figure worked out again from the input files alone.

Written from the definitions, without a look at ``analysis`` or ``service``: its own reading of
OpenStreetMap, own crossings of areas, own Hilbert curve, own whole persons, Dijkstra by scipy in
float64, flows by HiGHS. What the product publishes (documents and layers over HTTP) is compared
with it, and every difference is listed.

    python -m tests.oracles.audit http://127.0.0.1:8000 malta --osm F --units F
"""
