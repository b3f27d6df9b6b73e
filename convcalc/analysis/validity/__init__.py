"""Which input sizes a network accepts."""
