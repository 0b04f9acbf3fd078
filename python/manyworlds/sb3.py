"""Thousands of worlds behind the interface of Stable-Baselines3."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as reason:
    raise ImportError(f"Sb3VecEnv needs Stable-Baselines3 ({reason}): pip install 'manyworlds[sb3]'") from reason

from manyworlds import _arguments
from manyworlds.environment import Environment
from manyworlds.errors import UsageError
from manyworlds.vector_env import VectorEnv

__all__ = ["Sb3VecEnv"]


class Sb3VecEnv(VecEnv):
    """Many worlds of one environment as a ``VecEnv`` of Stable-Baselines3.

    Episodes are recorded as SB3's ``Monitor`` does, so neither it nor ``VecMonitor`` is needed. Infos are an empty
    dictionary for each world whose episode goes on; where one has ended there are ``terminal_observation``,
    ``TimeLimit.truncated`` (true only where the step limit alone ended it) and ``episode`` (``r``, ``l``, ``t``).

    Parameters
    ----------
    env, num_envs, seed, adapter, **overrides
        As `VectorEnv` takes them.

    Attributes
    ----------
    worlds : VectorEnv
        What is stepped.

    Examples
    --------
    >>> envs = manyworlds.Sb3VecEnv("CartPole-v1", 64, seed=1)
    >>> stable_baselines3.PPO("MlpPolicy", envs, n_steps=32, batch_size=512, device="cpu").learn(200_000)
    """

    def __init__(
        self,
        env: str | os.PathLike[str] | Environment,
        num_envs: int = 1,
        seed: int | None = None,
        *,
        adapter: str | int = "auto",
        **overrides: float,
    ):
        self.worlds = VectorEnv(env, num_envs, seed, "same-step", adapter=adapter, **overrides)
        self._own: dict[str, list[Any]] = {}
        self._masks: NDArray[np.bool_] | None = None
        self._next_seed = seed
        self._actions: Any = None
        super().__init__(self.worlds.num_envs, self.worlds.single_observation_space, self.worlds.single_action_space)
        self._begin()

    def _begin(self) -> None:
        self._began = time.time()
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, np.int64)

    def reset(self) -> NDArray[np.float32]:
        """Begins the episode of every world: the first under a seed that was given since, or the next."""
        if any(self._options):
            raise UsageError(f"options {self._options[0]}: worlds take none; constants are given to the constructor")
        observations, infos = self.worlds.reset(seed=self._next_seed)
        self._next_seed = None
        self._reset_seeds()
        self._reset_options()
        self._returns[:] = 0
        self._lengths[:] = 0
        self.reset_infos = [{} for _ in range(self.num_envs)]
        self._masked(infos)
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Takes actions ``[num_envs]`` or ``[num_envs, numbers]`` for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Makes one step of every world; a world whose episode has ended begins its next one in it."""
        observations, rewards, terminations, truncations, given = self.worlds.step(self._actions)
        self._masked(given)
        self._returns += rewards
        self._lengths += 1
        dones = terminations | truncations
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(dones)
        if len(ended):
            elapsed = round(time.time() - self._began, 6)
            columns = given["final_obs"], truncations & ~terminations, self._returns, self._lengths
            rows = zip(ended.tolist(), *(column[ended].tolist() for column in columns), strict=True)
            for world, final, limited, total, length in rows:
                infos[world] = {
                    "terminal_observation": final,
                    "TimeLimit.truncated": limited,
                    "episode": {"r": total, "l": length, "t": elapsed},
                }
            self._returns[ended] = 0
            self._lengths[ended] = 0
        return observations, rewards, dones, infos

    def _masked(self, infos: dict[str, Any]) -> None:
        if "action_mask" in infos:
            self._masks = infos["action_mask"].astype(np.bool_)

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Gives the seed of all worlds at the next reset; a random one where none is given."""
        drawn = int(np.random.randint(2**32, dtype=np.uint32)) if seed is None else seed
        self._next_seed = _arguments.world_seed(drawn)
        self._seeds = [self._next_seed] * self.num_envs
        return self._seeds

    def close(self) -> None:
        """Lets go of the worlds."""
        self.worlds.close()

    def get_attr(self, attr_name: str, indices: None | int | Iterable[int] = None) -> list[Any]:
        """What `set_attr` has set, for each world, or an attribute that all worlds have in common."""
        worlds = self._chosen(indices)
        if attr_name in self._own:
            return [self._own[attr_name][world] for world in worlds]
        if attr_name == "action_masks" and self._masks is not None:
            return [lambda world=world: self._masks[world] for world in worlds]
        # by hand rather than by hasattr: what is missing is to be told by name
        try:
            value = getattr(self.worlds, attr_name)
        except AttributeError:
            raise AttributeError(f"worlds of {self.worlds.env.name} have no attribute {attr_name!r}") from None
        return [value for _ in worlds]

    def set_attr(self, attr_name: str, value: Any, indices: None | int | Iterable[int] = None) -> None:
        """Notes a value for worlds, which `get_attr` gives back; it changes nothing of the worlds themselves."""
        own = self._own.setdefault(attr_name, [getattr(self.worlds, attr_name, None)] * self.num_envs)
        for world in self._chosen(indices):
            own[world] = value

    def env_method(
        self, method_name: str, *method_args: Any, indices: None | int | Iterable[int] = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls what `get_attr` gives for each world, such as ``action_masks`` where the environment has masks."""
        methods = self.get_attr(method_name, indices)
        return [method(*method_args, **method_kwargs) for method in methods]

    def env_is_wrapped(self, wrapper_class: type, indices: None | int | Iterable[int] = None) -> list[bool]:
        """Whether worlds do what a wrapper does: true for ``Monitor``, whose records they keep, and for no other."""
        return [wrapper_class is Monitor for _ in self._chosen(indices)]

    def get_images(self) -> list[None]:
        """Is not there: worlds are drawn by ``manyworlds render``."""
        return [None for _ in range(self.num_envs)]

    def _chosen(self, indices: None | int | Iterable[int]) -> list[int]:
        return list(self._get_indices(indices))

    def __repr__(self) -> str:
        return f"Sb3VecEnv({self.worlds.env.name}, num_envs={self.num_envs})"
