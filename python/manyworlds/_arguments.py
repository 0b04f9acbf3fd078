"""What arguments may be, said where they are wrong."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from manyworlds.environment import Environment
from manyworlds.errors import UsageError

MOST = 2**32 - 1


def whole(name: str, value: Any, least: int = 0, most: int = MOST) -> int:
    """A whole number within its limits."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise UsageError(f"{name}: {value!r} is not a whole number; it must be one from {least} to {most}")
    number = operator.index(value)
    if not least <= number <= most:
        raise UsageError(f"{name}: {number} is not allowed; it must be from {least} to {most}")
    return number


def text(name: str, value: Any, such_as: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise UsageError(f"{name}: {value!r} is not a string; give one such as {such_as!r}")
    return value


def path(name: str, value: Any) -> str:
    """A path."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise UsageError(f"{name}: {value!r} is not a path; give a string or a pathlib.Path") from None


def environment(env: Any, overrides: dict[str, float] | None = None) -> Environment:
    """An environment, or the one of a name or a path; with other constants."""
    if not isinstance(env, Environment):
        env = path("env", env)
    if not isinstance(overrides, Mapping | None):
        raise UsageError(f"overrides: {overrides!r} is not a dictionary; give one such as {{'gravity': 3.7}}")
    for name, value in (overrides or {}).items():
        if not isinstance(value, Real):
            raise UsageError(f"overrides: {name} is {value!r}, which is not a number")
    return Environment.of(env, {name: float(value) for name, value in (overrides or {}).items()})


def seeds(value: int | Iterable[int]) -> list[int]:
    """Seeds, each of them once: one, or several."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return [whole("seeds", value)]
    every = [whole("seeds", seed) for seed in value]
    if not every:
        raise UsageError("seeds: none were given; name at least one, such as seeds=1 or seeds=range(1, 11)")
    twice = next((seed for seed in every if every.count(seed) > 1), None) if len(set(every)) < len(every) else None
    if twice is not None:
        raise UsageError(f"seeds: {twice} is there twice; each agent needs one of its own")
    return every
