"""Every exception that minilayer defines, in one place."""

from __future__ import annotations


class CheckpointError(ValueError):
    """A file that is not a checkpoint this library can read, or a model that cannot be stored."""


class ResumeError(ValueError):
    """A checkpoint or journal that is not of this run."""


class CurvatureError(TypeError):
    """A layer does not define what products with the Hessian need."""


class GradientError(AssertionError):
    """A derivative is wrong; the message names the layer and the derivative."""


class LayerError(AssertionError):
    """A layer breaks the contract of Layer; the message says what was expected and what was found."""
