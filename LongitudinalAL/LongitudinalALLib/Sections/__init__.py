"""What is seen: one file a section, its widgets, the signals it sends, and the setters that show state."""
