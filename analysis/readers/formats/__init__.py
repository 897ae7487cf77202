"""One module per kind of file: workbooks, GIS layers, shapefiles, GeoJSON, KML."""
