"""Massively parallel reinforcement learning on any GPU: worlds, trainers, policies."""

import sys as _sys
from importlib import import_module as _import_module

from manyworlds import _native
from manyworlds._native import __version__


def _is_command_line() -> bool:
    """Whether this process is `python -m manyworlds`, or the program `manyworlds`."""
    argv = getattr(_sys, "argv", None) or [""]
    if argv[0] == "-m":
        # the module is not found yet; behind its name come the arguments
        return _sys.orig_argv[-len(argv)].removeprefix("-m") in ("manyworlds", "manyworlds.__main__")
    return argv[0].replace("\\", "/").rpartition("/")[2] in ("manyworlds", "manyworlds.exe")


# the command line needs nothing of what follows, and `__getattr__` finds it where it is asked for nevertheless
if not _is_command_line():
    from manyworlds.environment import Environment, environments
    from manyworlds.errors import Error
    from manyworlds.policy import Policy
    from manyworlds.registration import register as _register
    from manyworlds.rollout import Rollout
    from manyworlds.training import Report, Run, Trainer, train
    from manyworlds.vector_env import Env, VectorEnv

    _register()

_MODULES = {
    "Env": "vector_env",
    "Environment": "environment",
    "Error": "errors",
    "Policy": "policy",
    "Report": "training",
    "Rollout": "rollout",
    "Run": "training",
    # Stable-Baselines3 imports PyTorch: it waits until it is asked for
    "Sb3VecEnv": "sb3",
    "Trainer": "training",
    "VectorEnv": "vector_env",
    "environments": "environment",
    "train": "training",
}


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(_import_module(f"manyworlds.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'manyworlds' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


# without `Sb3VecEnv`, so that everything can be imported where Stable-Baselines3 is not there
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
