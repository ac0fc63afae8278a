"""What is seen: one file a section, with its widgets, the signals that it sends and the setters that show state."""
