"""A run of a module, recorded: every public call of torch, with what is known of its values and sizes."""
