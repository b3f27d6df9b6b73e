"""What is found out about a network: pure functions with frozen results."""
