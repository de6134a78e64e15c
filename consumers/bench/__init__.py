"""What `saga bench calls` measures: what the middleware adds to one call."""
