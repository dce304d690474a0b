"""The page: results, or the instrument alone, as one HTML file that needs no server."""
