"""The networks that can be trained, and how one becomes an ONNX graph."""
