"""A loss in a file: its registered name and its constructor arguments, as JSON."""

from __future__ import annotations

import json

from ..errors import CheckpointError
from ..nn import Loss, registered
from ..utils.checks import short_repr
from .format import check_length, decode_config, encode_config, separate


def encode_loss(loss: Loss) -> str:
    """Return a loss as JSON; CheckpointError for one that files cannot name or hold."""
    try:
        values, shapes = separate(encode_config({"loss": loss}))
        if shapes:
            raise ValueError(f"expected arguments that are no arrays, found {loss!r}")
        text = json.dumps(values["loss"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"loss: {error}") from None
    check_length("loss", text)
    return text


def storable_loss(loss: Loss | None) -> Loss | None:
    """Return the loss if its class is registered, else None: a run's identity knows it anyway."""
    is_registered = loss is not None and registered(type(loss).__name__) is type(loss)
    return loss if is_registered else None


def decode_loss(text: str) -> Loss:
    """Return the loss that a file describes; CheckpointError for anything else."""
    try:
        described = json.loads(text)
        loss = decode_config({"loss": described})["loss"]
        is_same = isinstance(loss, Loss) and json.loads(encode_loss(loss)) == described
    except Exception as error:  # a class of the user's own may raise anything
        raise CheckpointError(
            f"expected a registered loss with its arguments, found {short_repr(text)}: "
            f"{short_repr(str(error))}"
        ) from None
    if not is_same:
        raise CheckpointError(
            f"expected a loss with its arguments, found {short_repr(text)}, which makes "
            f"{short_repr(loss)}"
        )
    assert isinstance(loss, Loss)
    return loss
