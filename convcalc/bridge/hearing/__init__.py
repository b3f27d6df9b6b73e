"""What is heard of sizes while a model runs: numbers that remember their formula, and what Python does with them."""
