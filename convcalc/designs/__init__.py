"""Networks that meet a wish."""
