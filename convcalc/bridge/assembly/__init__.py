"""From a graph to real torch modules."""
