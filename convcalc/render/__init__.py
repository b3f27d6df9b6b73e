"""Results as text: every function takes a result and never recomputes it."""
