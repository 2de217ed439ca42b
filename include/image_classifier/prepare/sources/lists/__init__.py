"""Reads lists of paths and labels: one list as the source, or the lists of a source of folders."""
