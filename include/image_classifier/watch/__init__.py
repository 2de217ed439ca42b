"""Finds what costs money without a use: training jobs without a task, endpoints without a classifier file."""
