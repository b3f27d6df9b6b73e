"""Results as text, tables and JSON: every function takes a result and never recomputes it."""
