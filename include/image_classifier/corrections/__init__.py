"""What people say about predictions: stored once per image, read by the pages and by the next data set."""
