"""Config files: reading, checking, and expanding them to runs."""
