"""Deploys the model, the endpoint config and the endpoint."""
