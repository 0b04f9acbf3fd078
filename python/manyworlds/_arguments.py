"""What arguments may be, said where they are wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from manyworlds.errors import UsageError

MOST = 2**32 - 1


def shown(value: Any) -> str:
    """A value as an error's text shows it: cut where it is long, by its type where it has no words of its own."""
    try:
        words = repr(value)
    except Exception:
        # a number of more digits than Python writes, or an object whose words fail
        return f"<{type(value).__name__}>"
    return words if len(words) <= 200 else f"{words[:200]}..."


def whole(name: str, value: Any, least: int = 0, most: int = MOST, remark: str = "") -> int:
    """A whole number within its limits."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= value <= most:
        raise UsageError(
            f"{name}: {shown(value)} is not allowed; it must be a whole number from {least} to {most}{remark}"
        )
    return int(value)


def world_seed(value: Any) -> int:
    """A seed of worlds."""
    return whole("seed", value, remark=", one for all worlds")


def text(name: str, value: Any, such_as: str) -> str:
    """A string that UTF-8 can hold."""
    if not isinstance(value, str):
        raise UsageError(f"{name}: {shown(value)} is not a string; give one such as {such_as!r}")
    if not _is_encodable(value):
        raise UsageError(
            f"{name}: {shown(value)} has half a surrogate pair, which no text can hold; give one such as {such_as!r}"
        )
    return value


def path(name: str, value: Any) -> str:
    """A path that this system can have."""
    try:
        return os.fsdecode(os.fsencode(value))
    except (TypeError, UnicodeError):
        raise UsageError(f"{name}: {shown(value)} is not a path; give a string or a pathlib.Path") from None


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def adapter(value: Any) -> str:
    """Words that choose an adapter, of which an index is one."""
    if isinstance(value, Integral) and not isinstance(value, bool) and value >= 0:
        value = shown(int(value))
    if not isinstance(value, str) or not _is_encodable(value):
        raise UsageError(
            f"adapter: {shown(value)} is not allowed; it is 'auto', an index, or part of a name that "
            "`manyworlds doctor` shows"
        )
    return value


def constants(given: Any) -> dict[str, float]:
    """Constants of an environment that get another value."""
    if not isinstance(given, Mapping | None):
        raise UsageError(f"overrides: {shown(given)} is not a dictionary; give one such as {{'gravity': 3.7}}")
    taken = {}
    for name, value in (given or {}).items():
        name = text("overrides", name, "gravity")
        if not isinstance(value, Real):
            raise UsageError(
                f"{name}={shown(value)}: no argument has this name, and a constant of an environment is a number; give "
                "a number, or leave it out"
            )
        try:
            taken[name] = float(value)
        except OverflowError:
            raise UsageError(f"{name}={shown(value)}: it is too large; give a number that float32 can hold") from None
    return taken


def settings(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of an algorithm whose names and values can be written; which there are, the native half knows."""
    for name, value in given.items():
        text("settings", name, "num_envs")
        if isinstance(value, str):
            text(name, value, "tanh")
        elif isinstance(value, int) and value.bit_length() > 1024:
            raise UsageError(f"{name}: {shown(value)} is too large; no setting takes a number of 1,024 bits")
    return given


def numbers(name: str, given: Any) -> np.ndarray:
    """An array of real numbers."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name}: {error}; give an array of numbers whose rows are of one length") from None
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name}: an array of dtype {array.dtype} holds no real numbers; give one of float32")
    return array


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
