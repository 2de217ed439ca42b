"""Implements Search: resources by any of their properties."""
