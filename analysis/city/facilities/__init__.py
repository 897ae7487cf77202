"""Places that offer a service: gathered from files and OpenStreetMap, merged, attached."""
