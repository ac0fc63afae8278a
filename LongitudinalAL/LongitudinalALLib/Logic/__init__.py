"""What is done: one file a section, from its signals to requests and to the scene; no Qt."""
