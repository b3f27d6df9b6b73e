"""What a report remarks on: true of a node, with the numbers, and perhaps not meant."""
