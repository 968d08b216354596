"""Networks for other programs: ONNX files for any runtime (extra ``onnx``)."""

from .onnx_file import to_onnx
from .onnx_graph import OnnxGraph

__all__ = ["OnnxGraph", "to_onnx"]
