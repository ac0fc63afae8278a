"""Many rounds, strategies and seeds, and the report about them."""
