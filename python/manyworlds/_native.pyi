"""What the native half offers; `manyworlds` wraps all of it."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__version__: str

_Stepped = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]

def command_line(started: list[str], arguments: list[str]) -> int: ...
def driver_variables(exchange: bool = False) -> list[tuple[str, str]]: ...
def adapters() -> list[str]: ...
def device(adapter: str) -> tuple[str, str, bool]: ...
def built_in() -> list[str]: ...

@final
class Environment:
    @staticmethod
    def load(name: str, overrides: dict[str, float]) -> Environment: ...
    @staticmethod
    def from_source(name: str, text: str, overrides: dict[str, float]) -> Environment: ...
    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def observation_dim(self) -> int: ...
    @property
    def max_episode_steps(self) -> int: ...
    @property
    def reward_threshold(self) -> float | None: ...
    @property
    def overrides(self) -> dict[str, float]: ...
    @property
    def actions(self) -> dict[str, Any]: ...

@final
class Worlds:
    def __new__(cls, env: Environment, num_envs: int, seed: int, autoreset: str, adapter: str) -> Worlds: ...
    def close(self) -> None: ...
    def reset(
        self, seed: int | None, which: list[bool] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int8] | None]: ...
    def step(self, actions: NDArray[Any]) -> _Stepped: ...
    def step_many(self, actions: NDArray[Any], steps: int, each: bool) -> _Stepped: ...
    def states(self) -> NDArray[np.float64]: ...
    def set_states(self, states: list[list[float]]) -> None: ...

@final
class Returns:
    """How episodes came out: numbers of episodes, and of their returns."""

    @staticmethod
    def of(numbers: dict[str, Any]) -> Returns: ...
    @property
    def episodes(self) -> int:
        """How many there were, those included that were cut off."""
    @property
    def terminated(self) -> int:
        """How many of them the environment terminated."""
    @property
    def truncated(self) -> int:
        """How many of them the step limit truncated, and nothing terminated in the same step."""
    @property
    def unfinished(self) -> int:
        """How many of them had not ended when the evaluation did."""
    @property
    def mean(self) -> float:
        """Mean return."""
    @property
    def std(self) -> float | None:
        """Standard deviation of the returns (n - 1); one episode has none."""
    @property
    def standard_error(self) -> float | None:
        """Standard error of the mean; one episode has none."""
    @property
    def min(self) -> float:
        """The lowest return."""
    @property
    def lower_quartile(self) -> float:
        """A quarter of the returns are at most this."""
    @property
    def median(self) -> float:
        """The median of the returns."""
    @property
    def upper_quartile(self) -> float:
        """Three quarters of the returns are at most this."""
    @property
    def max(self) -> float:
        """The highest return."""
    @property
    def mean_length(self) -> float:
        """Mean length in steps."""
    def passes(self, threshold: float) -> bool:
        """Whether the mean is at least the threshold with three standard errors to spare."""

@final
class Policy:
    @staticmethod
    def load(path: str) -> tuple[Policy, list[str]]: ...
    @staticmethod
    def untrained(env: Environment, algo: str, seed: int, settings: dict[str, Any]) -> Policy: ...
    @staticmethod
    def from_bytes(checkpoint: bytes) -> Policy: ...
    def to_bytes(self) -> bytes: ...
    def save(self, path: str) -> None: ...
    @property
    def env(self) -> Environment: ...
    @property
    def algo(self) -> str: ...
    @property
    def config(self) -> str: ...
    @property
    def updates(self) -> int: ...
    @property
    def evaluation(self) -> Returns | None: ...
    @property
    def params_hash(self) -> str: ...
    @property
    def parameters(self) -> np.ndarray: ...
    def with_parameters(self, parameters: np.ndarray) -> Policy: ...
    def tensors(self) -> list[tuple[str, list[int]]]: ...
    def layers(self) -> list[tuple[Any, ...]]: ...
    def value_layers(self) -> list[tuple[Any, ...]] | None: ...
    def evaluate(self, episodes: int, seed: int, sampled: bool, adapter: str) -> Returns: ...

@final
class Rollout:
    def __new__(
        cls, policy: Policy, env: Environment | None, num_envs: int, num_steps: int, seed: int, adapter: str
    ) -> Rollout: ...
    def set_parameters(self, parameters: np.ndarray) -> None: ...
    def collect(self, gamma: float, gae_lambda: float) -> dict[str, Any]: ...

@final
class Trainer:
    def __new__(
        cls,
        env: Environment,
        algo: str,
        settings: dict[str, Any],
        seeds: list[int],
        begin: str | Policy | None,
        until_solved: bool,
        adapter: str,
    ) -> Trainer: ...
    @property
    def config(self) -> str: ...
    @property
    def num_updates(self) -> int: ...
    @property
    def begins_with(self) -> str | None: ...
    @property
    def misfit(self) -> str | None: ...
    def next(
        self,
    ) -> tuple[int, int, list[list[str]], list[tuple[str, Returns, Policy]] | None] | None: ...

def train_into(
    directory: str,
    env: Environment,
    algo: str,
    settings: dict[str, Any],
    seeds: list[int],
    begin: str | Policy | None,
    until_solved: bool,
    adapter: str,
    command: str,
    progress: Callable[[int, int, int, float | None], None] | None,
) -> list[str]: ...
def curve(env: Environment, algo: str, seeds: list[tuple[int, list[str], list[str]]]) -> str: ...
