"""What every front end shares: the labelling queue, the annotator's session, and the worker's client."""
