"""MiniStack, started with the patches it needs to behave like AWS where this project depends on it."""
