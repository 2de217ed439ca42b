"""Checks a deployment with one upload, which must get its prediction record."""
