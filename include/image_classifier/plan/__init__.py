"""Computes what a run would change and cost, checks the budget, and reports what the run has cost."""
