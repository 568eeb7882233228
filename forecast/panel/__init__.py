"""Region x week counts: weeks, regions, places, neighbours."""
