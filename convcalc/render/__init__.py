"""Results as text, tables and JSON: nothing here computes a size."""
