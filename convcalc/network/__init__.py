"""Networks as values: graphs, blocks, stacks, and the shapes in them."""
