"""Runs MiniStack with patches where it differs from AWS and this project depends on the difference."""
