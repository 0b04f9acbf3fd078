"""Massively parallel reinforcement learning on any GPU: worlds, trainers, policies."""

import sys

from manyworlds import _native
from manyworlds._native import __version__

# `python -m manyworlds` is the command line, which needs nothing of what follows
if sys.orig_argv[1:3] != ["-m", "manyworlds"]:
    from manyworlds.environment import Environment, environments
    from manyworlds.errors import Error
    from manyworlds.policy import Policy
    from manyworlds.registration import register
    from manyworlds.rollout import Rollout
    from manyworlds.training import Report, Run, Trainer, train
    from manyworlds.vector_env import Env, VectorEnv

    register()


def __getattr__(name: str):
    if name == "Sb3VecEnv":
        # Stable-Baselines3 imports PyTorch: it waits until it is asked for
        from manyworlds.sb3 import Sb3VecEnv

        return Sb3VecEnv
    raise AttributeError(f"module 'manyworlds' has no attribute {name!r}")


__all__ = [
    "Env",
    "Environment",
    "Error",
    "Policy",
    "Report",
    "Rollout",
    "Run",
    "Trainer",
    "VectorEnv",
    "__version__",
    "environments",
    "train",
]
