"""Answers that leave the terminal: pictures as files, and what calls for them."""
