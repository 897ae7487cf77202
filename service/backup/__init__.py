"""A whole, checked copy of a workspace, made while the service runs; and the way back."""
