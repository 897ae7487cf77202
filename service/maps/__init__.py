"""Maps: a run drawn as a Folium page that opens without internet."""
