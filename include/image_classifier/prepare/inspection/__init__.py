"""Inspects single images, and finds near-duplicates."""
