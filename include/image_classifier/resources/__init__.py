"""The AWS resources of a classifier: what is asked of AWS, and changes that may be asked for twice."""
