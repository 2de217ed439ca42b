"""Lists and deletes everything that belongs to one classifier."""
