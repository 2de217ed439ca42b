"""Evaluates a model on test images, which were used neither for training nor for choosing the epoch."""
