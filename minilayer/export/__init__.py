"""Networks elsewhere: ONNX files for any runtime (extra ``onnx``), and web pages to draw on."""

from .html import to_html
from .onnx_file import to_onnx
from .onnx_graph import OnnxGraph

__all__ = ["OnnxGraph", "to_html", "to_onnx"]
