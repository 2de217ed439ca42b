"""MiniStack, started with the cures it needs to behave like AWS where this project depends on it."""
