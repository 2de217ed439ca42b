"""Serves models: operations on models, endpoint configs and endpoints, and the processes that answer invocations."""
