"""Classifies images that are in the bucket already: those without a record, or all of them with the present model."""
