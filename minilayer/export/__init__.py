"""Networks for other programs: ONNX files for any runtime (extra ``onnx``)."""

from .onnx_file import to_onnx
from .onnx_graph import OnnxGraph
from .skl2onnx_converter import register_skl2onnx

__all__ = ["OnnxGraph", "register_skl2onnx", "to_onnx"]
