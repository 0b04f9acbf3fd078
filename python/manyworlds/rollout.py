"""Rollouts: a policy plays many worlds on the device, and a learner of one's own gets the whole batch as arrays."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from manyworlds import _arguments, _device, _native
from manyworlds.environment import Environment
from manyworlds.errors import UsageError
from manyworlds.policy import Policy

__all__ = ["Batch", "Rollout"]


class Batch(NamedTuple):
    """What a rollout has left, as arrays of the host that are the caller's own.

    Attributes
    ----------
    observations : float32 ``[steps, worlds, features]``
        What the policy saw.
    actions : ``[steps, worlds]`` int64, ``[steps, worlds, choices]`` int64 or ``[steps, worlds, numbers]`` float32
        What it drew. Real numbers are as they were drawn, before they are clipped or squashed.
    log_probs : float32 ``[steps, worlds]``
        Logarithms of the actions' probabilities or densities, in nats; of actions that are squashed, those of the
        squashed ones.
    rewards : float32 ``[steps, worlds]``
        Rewards.
    terminations, truncations : bool ``[steps, worlds]``
        Whether the episode ended in the step: by the environment, or by its step limit. Where both are set, it
        terminated.
    values : float32 ``[steps, worlds]``
        V of the observations; 0 where the policy has no critic.
    advantages, returns : float32 ``[steps, worlds]``
        Generalised advantage estimates, and their sums with the values: targets of V.
    action_masks : bool ``[steps, worlds, actions]`` or None
        Which actions were allowed, where the environment says so.
    final_observations : float32 ``[truncated, features]``
        What was observed last in episodes that were truncated, before the reset, in the order of
        ``np.nonzero(truncations & ~terminations)``.
    last_observations : float32 ``[worlds, features]``
        The observation behind the last step; behind an ending that of the next episode.
    """

    observations: np.ndarray
    actions: np.ndarray
    log_probs: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    truncations: np.ndarray
    values: np.ndarray
    advantages: np.ndarray
    returns: np.ndarray
    action_masks: np.ndarray | None
    final_observations: np.ndarray
    last_observations: np.ndarray

    def __repr__(self) -> str:
        steps, worlds = self.rewards.shape
        return f"Batch(steps={steps}, worlds={worlds}, features={self.observations.shape[-1]})"


class Rollout:
    """A rollout is T steps of N worlds under a policy, made on the device in few dispatches; Python is asked for
    nothing in between.

    Worlds go on where the last rollout stopped. Values and advantages are computed on the device too; then one copy
    brings the batch to the host, where observations and actions are put into the order of the arrays. Nothing is shared
    with the device afterwards.

    Parameters
    ----------
    policy : Policy, or Environment, name or path
        Whose actions are taken; of an environment an untrained policy of ppo.
    env : Environment, name or path, optional
        Another environment that the policy plays in, with as many numbers and actions: one with other overrides, say.
    num_envs : int
        Worlds, side by side.
    num_steps : int
        Steps of each of them in a rollout.
    seed : int
        Seed of first states and actions, from 0 to 2**32 - 1.
    adapter : str or int
        The device: "auto", an index, or part of a name.

    Raises
    ------
    UsageError
        Where a number is not allowed, the batch is larger than the device can bind, or the policy is one of ddpg, td3,
        sac or of a search, which have no densities and no V.
    """

    def __init__(
        self,
        policy: Policy | Environment | str | os.PathLike[str],
        num_envs: int,
        num_steps: int,
        seed: int = 1,
        adapter: str | int = "auto",
        *,
        env: Environment | str | os.PathLike[str] | None = None,
    ):
        if not isinstance(policy, Policy):
            policy = Policy.untrained(policy)
        self._shapes = _shapes(policy)
        self.num_envs, self.num_steps = _arguments.whole("num_envs", num_envs), _arguments.whole("num_steps", num_steps)
        seed, adapter = _arguments.whole("seed", seed), _arguments.adapter(adapter)
        self.env = policy.env if env is None else Environment.of(env)
        _device.prepare()
        self._native = _native.Rollout(policy._native, self.env._native, self.num_envs, self.num_steps, seed, adapter)

    def collect(self, gamma: float = 0.99, gae_lambda: float = 0.95) -> Batch:
        """The next rollout is made; other threads of Python go on meanwhile.

        A truncated step bootstraps with V of its final observation, a terminated one with 0, and the last step with V
        of the observation behind it.

        Parameters
        ----------
        gamma : float
            The discount γ of a step, from 0 to 1.
        gae_lambda : float
            The trace decay λ, from 0 to 1.

        Raises
        ------
        UsageError
            Where γ or λ is out of its range.
        TrainingError
            Where an observation or a reward is not finite.
        DeviceError
            Where the device is lost, or this is the fork of the process that made it.
        """
        rates = [_rate(name, value) for name, value in (("gamma", gamma), ("gae_lambda", gae_lambda))]
        return Batch(**self._native.collect(*rates))

    def set_policy(self, policy: Policy) -> None:
        """The worlds go on under another policy with networks of the same shapes, in the same environment."""
        if not isinstance(policy, Policy):
            raise UsageError(
                f"policy: {policy!r} is not a Policy; put parameters into one, or give them to set_parameters"
            )
        if _shapes(policy) != self._shapes:
            raise UsageError(
                "policy: its networks, settings or environment are others than this rollout's; make another Rollout"
            )
        self._native.set_parameters(policy.parameters)

    def set_parameters(self, parameters: Any) -> None:
        """The worlds go on under other parameters, ``[parameters]`` as `Policy.parameters` has them."""
        array = _arguments.numbers("parameters", parameters)
        with np.errstate(over="ignore"):
            self._native.set_parameters(np.ascontiguousarray(array.reshape(-1), np.float32))

    def __repr__(self) -> str:
        return f"Rollout({self.env.name!r}, num_envs={self.num_envs}, num_steps={self.num_steps})"


def _rate(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name}: {_arguments.shown(value)} is not a number; it must be one from 0 to 1") from None


def _shapes(policy: Policy) -> tuple[Any, ...]:
    """What policies have in common that can take each other's place in a rollout."""
    config = policy.config
    settings = tuple(str(config[name]) for name in ("activation", "norm_obs", "squash", "use_sde", "sde_sample_freq"))
    return (*settings, policy.env._native.text, tuple(policy.env.overrides.items()), str(policy._native.tensors()))
