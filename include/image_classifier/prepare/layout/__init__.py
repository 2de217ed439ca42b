"""Determines which folders of a source are classes and which are splits."""
