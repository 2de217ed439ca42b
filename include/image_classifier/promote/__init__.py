"""Decides whether a trained model goes live, and stores the decision and the model registry's entries."""
