"""Finds uploads without predictions, changed resources, and unused resources that cost money."""
