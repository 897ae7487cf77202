"""Each kind of map as a scene: layers, legend, panel, table."""
