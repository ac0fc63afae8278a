"""Which slice pair to label next: scores, selectors, and the strategies made of them."""
