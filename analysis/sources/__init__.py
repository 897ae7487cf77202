"""The only room that opens foreign formats or sockets."""

from analysis.sources.files_in import guard_gdal

guard_gdal()  # before any module of this room loads GDAL
