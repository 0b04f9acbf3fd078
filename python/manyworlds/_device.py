"""What drivers read from the environment, set before the first of them is loaded."""

import os

from manyworlds import _native


def prepare() -> None:
    """Sets variables of drivers that are not set: how Mesa's software driver uses the processor, and where sockets go."""
    for name, value in _native.driver_variables():
        os.environ.setdefault(name, value)
