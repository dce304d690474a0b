"""What results show: figures, tables, and claims with their verdicts."""
