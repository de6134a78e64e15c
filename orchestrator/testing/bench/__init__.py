"""What `saga bench` measures. Nothing is imported eagerly."""
