"""Computes what a run would change and cost, whether that is within the budget, and what it did cost."""
