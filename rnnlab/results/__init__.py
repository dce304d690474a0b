"""Results: stored, read, checked, summarised, compared, exported."""
