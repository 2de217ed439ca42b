"""Names the graph's input and output in a module of their own, so that serving needs no PyTorch."""

INPUT, OUTPUT = "image", "probabilities"
