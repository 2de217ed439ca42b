"""Classifies images that are already in the bucket: those without a record, or all of them with the live model."""
