"""What people read about a version of a data set."""
