"""The only room that opens foreign formats or sockets."""

from lifecircle.analysis.readers.records.files import guard_gdal

guard_gdal()  # before any module of this room loads GDAL
