"""Decides whether a trained model may serve, and keeps the record of it."""
