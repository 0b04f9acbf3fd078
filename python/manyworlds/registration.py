"""The built-in environments among Gymnasium's: ``gymnasium.make_vec("manyworlds/CartPole-v1", num_envs=4096)``."""

from __future__ import annotations

import gymnasium

from manyworlds import _native
from manyworlds.vector_env import Env, VectorEnv

NAMESPACE = "manyworlds"


def register() -> None:
    """Registers every built-in environment that is not registered yet."""
    for name in _native.built_in():
        id = f"{NAMESPACE}/{name}"
        if id not in gymnasium.registry:
            env = _native.Environment.load(name, {})
            gymnasium.register(
                id,
                entry_point="manyworlds.registration:make",
                vector_entry_point="manyworlds.registration:make_vec",
                reward_threshold=env.reward_threshold,
                order_enforce=True,
                kwargs={"env": name},
            )


def make(env: str, **arguments: object) -> Env:
    """One world of a registered environment."""
    return Env(env, **arguments)


def make_vec(env: str, num_envs: int = 1, **arguments: object) -> VectorEnv:
    """Many worlds of a registered environment."""
    return VectorEnv(env, num_envs, **arguments)
