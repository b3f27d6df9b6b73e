"""Pure functions of a graph, with frozen results."""
