"""Contains the operators: they extend the Amazon provider's, are safe to retry, and return names for the next task."""
