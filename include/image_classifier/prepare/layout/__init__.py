"""The folders and files of a source: which is a class, a split, or nothing."""
