"""What a command is asked about: a stack, a network of the zoo, a Python target, a saved report."""
