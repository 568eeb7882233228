"""The archive of issued forecasts as a static site: pages, a feed and an index for programs, from plain tables."""
