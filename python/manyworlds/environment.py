"""Environments: built in by name, from a file, or from a string of WGSL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from manyworlds import _arguments, _native
from manyworlds.errors import UsageError

__all__ = ["Environment", "environments"]


def environments() -> list[str]:
    """Names of the environments that are built in."""
    return _native.built_in()


class Environment:
    """An environment that was read and checked: what it declares, without any world of it.

    Parameters
    ----------
    name : str or path
        The name of a built-in environment (`environments`), or the path of a ``.wgsl`` file.
    **overrides : float
        Constants of the environment that get another value, such as ``gravity=3.7``.

    Raises
    ------
    UsageError
        Where there is no such environment or override, or the file breaks the contract; with the place.
    FileError
        Where the file cannot be read.
    """

    def __init__(self, name: str | os.PathLike[str], **overrides: float):
        self._load(name, overrides)

    def _load(self, name: str | os.PathLike[str], overrides: dict[str, float]) -> None:
        try:
            path = os.fspath(name)
        except TypeError:
            path = None
        if not isinstance(path, str):
            raise UsageError(
                f"environment {_arguments.shown(name)}: it is a name, or the path of a .wgsl file, as text"
            )
        path = _arguments.text("environment", path, "CartPole-v1")
        self._native = _native.Environment.load(path, _arguments.constants(overrides))

    @classmethod
    def from_source(cls, text: str, name: str = "environment", **overrides: float) -> Environment:
        """Reads an environment from a string of WGSL; messages call it by ``name``."""
        if not isinstance(text, str) or not isinstance(name, str):
            raise UsageError(f"text and name are {type(text).__name__} and {type(name).__name__}, expected two strings")
        text, name = _arguments.text("text", text, "const OBSERVATION_DIM..."), _arguments.text("name", name, "boat")
        env = cls.__new__(cls)
        env._native = _native.Environment.from_source(name, text, _arguments.constants(overrides))
        return env

    @classmethod
    def of(
        cls, env: str | os.PathLike[str] | Environment, overrides: Mapping[str, float] | None = None
    ) -> Environment:
        """The environment that an argument means: one, or the name or path of one; with other constants."""
        overrides = _arguments.constants(overrides)
        if isinstance(env, Environment):
            if not overrides:
                return env
            return rebuilt(env._native.text, env.name, {**env.overrides, **overrides})
        # not by keywords: a constant may be called as an argument is
        made = cls.__new__(cls)
        made._load(env, overrides)
        return made

    @property
    def name(self) -> str:
        """Its name."""
        return self._native.name

    @property
    def max_episode_steps(self) -> int | None:
        """Steps after which an episode is truncated; None where it never is."""
        return self._native.max_episode_steps or None

    @property
    def reward_threshold(self) -> float | None:
        """Mean return from which on it counts as solved, where it says so."""
        return self._native.reward_threshold

    @property
    def overrides(self) -> dict[str, float]:
        """Constants that can be changed, with their values."""
        return self._native.overrides

    @property
    def observation_space(self) -> gymnasium.spaces.Box:
        """Observations of one world: ``Box(-inf, inf, [numbers], float32)``."""
        return gymnasium.spaces.Box(-np.inf, np.inf, (self._native.observation_dim,), np.float32)

    @property
    def action_space(self) -> gymnasium.Space[Any]:
        """Actions of one world: ``Discrete``, ``MultiDiscrete`` or ``Box``."""
        actions = self._native.actions
        if actions["kind"] == "box":
            low, high = (np.asarray(actions[of], np.float32) for of in ("low", "high"))
            return gymnasium.spaces.Box(low, high, dtype=np.float32)
        if actions["kind"] == "discrete":
            return gymnasium.spaces.Discrete(actions["counts"][0])
        return gymnasium.spaces.MultiDiscrete(actions["counts"])

    def __reduce__(self) -> Any:
        return rebuilt, (self._native.text, self.name, self.overrides)

    def __repr__(self) -> str:
        changed = "".join(f", {name}={value:g}" for name, value in self.overrides.items())
        return f"Environment({self.name!r}{changed})"


def rebuilt(text: str, name: str, overrides: dict[str, float]) -> Environment:
    """The environment of a text with these constants."""
    env = Environment.__new__(Environment)
    env._native = _native.Environment.from_source(name, text, _arguments.constants(overrides))
    return env
