"""Runs batch transform jobs: a model's serving process answers for every object below a prefix or in a manifest."""
