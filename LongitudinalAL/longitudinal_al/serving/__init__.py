"""The worker's side of the conversation: pipes, requests, cancelling, priority; `worker` has the work."""
