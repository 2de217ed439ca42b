"""What jobs of every kind have in common: states, a thread for each, start, stop, list, recovery."""
