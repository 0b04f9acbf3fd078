"""Policies as modules of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from manyworlds.errors import UsageError
from manyworlds.policy import MOST_NORMALISED

if TYPE_CHECKING:
    from manyworlds.policy import Policy


class Normaliser(nn.Module):
    """Observations are normalised by the moments that training has left: buffers, which no optimiser changes."""

    def __init__(self, moments: torch.Tensor):
        super().__init__()
        self.register_buffer("mean", moments[:, 0].clone())
        self.register_buffer("scale", moments[:, 1].clone())

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return ((observations - self.mean) * self.scale).clamp(-MOST_NORMALISED, MOST_NORMALISED)


class Module(nn.Module):
    """The networks of a policy.

    Attributes
    ----------
    actor : nn.Sequential
        ``[..., features]`` to logits ``[..., actions]``, or means ``[..., numbers]`` (of sac means and logarithms of
        deviations).
    critic : nn.Sequential or None
        ``[..., features]`` to V ``[..., 1]``.
    log_std : nn.Parameter or None
        Logarithms of deviations ``[numbers]`` that do not depend on the observation.
    """

    def __init__(self, policy: Policy):
        super().__init__()
        tensors = {name: torch.from_numpy(tensor.copy()) for name, tensor in policy.tensors().items()}
        config = policy.config
        self.head: tuple[Any, ...] = tuple(policy._native.layers()[-1])
        self.state_dependent = bool(config["use_sde"])
        activation = nn.Tanh if config["activation"] == "tanh" else nn.ReLU
        moments = tensors.get("normaliser.observation") if config["norm_obs"] else None

        def network(name: str) -> nn.Sequential:
            layers: list[nn.Module] = [] if moments is None else [Normaliser(moments)]
            for n in range(len(config["hidden"]) + 1):
                weight, bias = tensors[f"{name}.{n}.weight"], tensors[f"{name}.{n}.bias"]
                dense = nn.Linear(*reversed(weight.shape))
                dense.weight.data, dense.bias.data = weight, bias
                layers += [dense] if n == 0 else [activation(), dense]
            return nn.Sequential(*layers)

        self.actor = network("actor")
        self.critic = network("critic") if "critic.0.weight" in tensors else None
        log_std = tensors.get("actor.log_std")
        self.log_std = None if log_std is None else nn.Parameter(log_std)
        if self.head[0] != "argmax":
            for name, bound in zip(("low", "high"), self.head[1:], strict=True):
                self.register_buffer(name, torch.from_numpy(bound.copy()))

    def forward(self, observations: torch.Tensor, action_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Deterministic actions: ``[...]``, ``[..., choices]``, or ``[..., numbers]`` within their bounds."""
        outputs = self.actor(observations)
        kind, *of = self.head
        if kind == "argmax":
            chosen = [logits.argmax(-1) for logits in self._logits(outputs, action_mask)]
            return chosen[0] if len(of[0]) == 1 else torch.stack(chosen, -1)
        means = outputs[..., : len(self.low)]
        if kind == "clip":
            return torch.minimum(torch.maximum(means, self.low), self.high)
        return self.low + (self.high - self.low) * (torch.tanh(means) + 1) / 2

    def distribution(
        self, observations: torch.Tensor, action_mask: torch.Tensor | None = None
    ) -> torch.distributions.Distribution | tuple[torch.distributions.Categorical, ...]:
        """What actions are drawn from: a ``Categorical``, a tuple of one for each choice, or an ``Independent``
        ``Normal``.

        Real numbers are those before they are clipped.
        """
        outputs = self.actor(observations)
        if self.head[0] == "argmax":
            every = tuple(torch.distributions.Categorical(logits=z) for z in self._logits(outputs, action_mask))
            return every[0] if len(every) == 1 else every
        if self.head[0] == "squash" and self.log_std is not None:
            raise UsageError(
                "distribution: actions of this policy are squashed, and so are the densities that rollouts have; make "
                "a TransformedDistribution of actor's means and log_std"
            )
        if self.log_std is None or self.state_dependent:
            why = "has none" if self.log_std is None else "has deviations that depend on the observation (use_sde)"
            raise UsageError(f"distribution: it is made of deviations of their own, log_std, and this policy {why}")
        return torch.distributions.Independent(torch.distributions.Normal(outputs, self.log_std.exp()), 1)

    def values(self, observations: torch.Tensor) -> torch.Tensor:
        """V of observations, ``[...]``."""
        if self.critic is None:
            raise UsageError(
                "values: this policy has no critic that judges observations alone; those of ppo and a2c have"
            )
        return self.critic(observations).squeeze(-1)

    def named_tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Its tensors by the names that they have in a checkpoint."""
        for name, network in (("actor", self.actor), ("critic", self.critic)):
            dense = [] if network is None else [layer for layer in network if isinstance(layer, nn.Linear)]
            for n, layer in enumerate(dense):
                yield f"{name}.{n}.weight", layer.weight
                yield f"{name}.{n}.bias", layer.bias
        if self.log_std is not None:
            yield "actor.log_std", self.log_std

    def _logits(self, outputs: torch.Tensor, action_mask: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        if action_mask is not None:
            outputs = outputs.masked_fill(action_mask == 0, float("-inf"))
        return outputs.split(list(self.head[1]), -1)
