"""What drivers read from the environment, set before the first of them is loaded."""

import os

from manyworlds import _native


_prepared = False


def prepare(exchange: bool = False) -> None:
    """Sets variables of drivers that are not set: how Mesa's software driver uses the processor, and where sockets go.

    Drivers look once, so what is opened first decides: worlds that Python steps (``exchange``), or training.
    """
    global _prepared
    if _prepared:
        return
    _prepared = True
    for name, value in _native.driver_variables(exchange):
        os.environ.setdefault(name, value)
