"""Checks a deployment: the endpoint answers, and an uploaded image gets its prediction record."""
