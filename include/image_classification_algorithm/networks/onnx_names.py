"""What the graph's input and output are called; apart from the writer, so that serving needs no PyTorch."""

INPUT, OUTPUT = "image", "probabilities"
