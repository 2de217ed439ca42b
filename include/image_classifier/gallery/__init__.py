"""What people see of a classifier's predictions: the newest records, filtered, sorted and exported."""
