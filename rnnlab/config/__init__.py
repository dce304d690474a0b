"""Config files: what they say, checked, and the runs that they ask for."""
