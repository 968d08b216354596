"""Networks elsewhere: ONNX files for any runtime (extra ``onnx``), and web pages to draw on."""

from .html import to_html
from .onnx_file import to_onnx
from .onnx_graph import OnnxGraph
from .skl2onnx_converter import register_skl2onnx

__all__ = ["OnnxGraph", "register_skl2onnx", "to_html", "to_onnx"]
