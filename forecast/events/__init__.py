"""Incident records: a date, a place, a region, deaths if known."""
