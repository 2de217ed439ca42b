"""The model, the endpoint config and the endpoint."""
