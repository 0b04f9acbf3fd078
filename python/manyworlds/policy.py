"""Policies: networks of an agent, with the environment and the settings that they were made by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from manyworlds import _arguments, _device, _native
from manyworlds._native import Returns
from manyworlds.environment import Environment
from manyworlds.errors import Error, UsageError

if TYPE_CHECKING:
    from manyworlds._torch import Module

__all__ = ["Policy", "Returns"]

# what an observation is held to once it is normalised
MOST_NORMALISED = 10.0


class Policy:
    """A policy acts: it has the networks of one agent, and the environment and settings that they were made by.

    It comes from `Policy.load`, `Policy.untrained`, or from training. Called with observations it gives the actions of
    the deterministic policy, computed by NumPy in float64; no device is needed for that.

    Examples
    --------
    >>> policy = Policy.load("runs/cartpole")  # doctest: +SKIP
    >>> policy(np.zeros((3, 4)))  # doctest: +SKIP
    array([0, 0, 0])
    """

    def __init__(self, native: _native.Policy):
        self._native = native
        self._features: int = native.env.observation_dim
        self._layers: list[tuple[Any, ...]] | None = None
        self._value_layers: list[tuple[Any, ...]] | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """A policy is read from a checkpoint, or from the newest whole one of a run directory.

        Newer checkpoints that were broken, and an environment that only has the name of a built-in one, are told as
        warnings.

        Raises
        ------
        FileError
            Where it cannot be read.
        UsageError
            Where there is none, it is no checkpoint, is damaged, or is of a newer version.
        """
        native, notes = _native.Policy.load(_arguments.path("path", path))
        for note in notes:
            warnings.warn(note, stacklevel=2)
        return cls(native)

    @classmethod
    def untrained(
        cls, env: str | os.PathLike[str] | Environment, algo: str = "ppo", seed: int = 1, **settings: Any
    ) -> Policy:
        """A policy at the start of training has the first parameters of its seed.

        Parameters
        ----------
        env : Environment, name or path
            What it acts in.
        algo : str
            The algorithm whose networks it has.
        seed : int
            What its parameters are drawn by, from 0 to 2**32 - 1.
        **settings : bool, int, float, str or list
            Settings of the algorithm, such as ``hidden=[32, 32]``.
        """
        environment = Environment.of(env)
        algo, seed = _arguments.text("algo", algo, "ppo"), _arguments.whole("seed", seed)
        return cls(_native.Policy.untrained(environment._native, algo, seed, _arguments.settings(settings)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """A checkpoint is written; a file that was there is replaced as a whole or not at all."""
        self._native.save(_arguments.path("path", path))

    @classmethod
    def _from_bytes(cls, checkpoint: bytes) -> Policy:
        return cls(_native.Policy.from_bytes(checkpoint))

    def __reduce__(self) -> tuple[Any, ...]:
        """A policy is pickled as its checkpoint, so that other processes can have it."""
        return Policy._from_bytes, (self._native.to_bytes(),)

    @property
    def env(self) -> Environment:
        """Its environment, overrides included."""
        env = Environment.__new__(Environment)
        env._native = self._native.env
        return env

    @property
    def algo(self) -> str:
        """Name of the algorithm that made it."""
        return self._native.algo

    @property
    def config(self) -> dict[str, Any]:
        """Every setting by name, in a dictionary of its own."""
        return json.loads(self._native.config)

    @property
    def updates(self) -> int:
        """Updates that made it."""
        return self._native.updates

    @property
    def evaluation(self) -> Returns | None:
        """How it fared, where it was evaluated when it was made."""
        return self._native.evaluation

    @property
    def params_hash(self) -> str:
        """BLAKE3 of its parameters, in hexadecimal: what the command line prints."""
        return self._native.params_hash

    @property
    def parameters(self) -> np.ndarray:
        """All parameters, ``[parameters]`` float32: the tensors one after the other. A copy."""
        return self._native.parameters

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters take the place of its own.

        Parameters
        ----------
        parameters : array ``[parameters]``
            As `parameters` has them.

        Raises
        ------
        UsageError
            Where their number is another, or one is not finite in float32; nothing is changed then.
        """
        array = _arguments.numbers("parameters", parameters)
        with np.errstate(over="ignore"):
            self._native = self._native.with_parameters(np.ascontiguousarray(array.reshape(-1), np.float32))
        self._layers = self._value_layers = None

    def tensors(self) -> dict[str, np.ndarray]:
        """Its tensors by name (``actor.0.weight`` ``[out, in]``, ``actor.0.bias`` ``[out]``, ...), views of a copy."""
        parameters, first, tensors = self.parameters, 0, {}
        for name, shape in self._native.tensors():
            size = int(np.prod(shape))
            tensors[name] = parameters[first : first + size].reshape(shape)
            first += size
        return tensors

    def __call__(self, observations: Any, action_mask: Any = None) -> np.ndarray:
        """Actions of the deterministic policy are computed on the host.

        Parameters
        ----------
        observations : array ``[..., features]``
            Observations; ``[features]`` for one.
        action_mask : array ``[..., actions]``, optional
            True, or not 0, for every action that is allowed, those of one choice after those of the other. An
            environment with masks needs one.

        Returns
        -------
        array
            ``[...]`` int64 for a single choice, ``[..., choices]`` int64 for several, ``[..., numbers]`` float32 within
            their bounds for real numbers.

        Raises
        ------
        UsageError
            Where shape or type is another, a number is not finite in float32, or nothing is allowed.
        """
        rows, lead = self._rows(observations)
        if self._layers is None:
            self._layers = _widened(self._native.layers())
        outputs = self._outputs(rows, self._layers[:-1])
        kind, *head = self._layers[-1]
        if kind == "argmax":
            return self._chosen(outputs, lead, *head, action_mask)
        if action_mask is not None:
            raise UsageError(f"action_mask: actions of {self.env.name} are real numbers, which have none; leave it out")
        low, high = head
        actions = outputs if kind == "clip" else low + (high - low) * (np.tanh(outputs) + 1) / 2
        return np.clip(actions, low, high).astype(np.float32).reshape(*lead, len(low))

    def values(self, observations: Any) -> np.ndarray:
        """Values V of observations are computed on the host, ``[...]`` float32 of ``[..., features]``.

        Raises
        ------
        UsageError
            Where the policy has no critic that judges observations, and as calling it does.
        """
        rows, lead = self._rows(observations)
        if self._value_layers is None:
            self._value_layers = _widened(self._native.value_layers())
        if self._value_layers is None:
            raise UsageError(
                f"values: a policy of {self.algo} has no critic that judges observations alone; those of ppo and a2c "
                "have"
            )
        return self._outputs(rows, self._value_layers).astype(np.float32).reshape(lead)

    def evaluate(
        self, episodes: int = 100, seed: int = 1, sampled: bool = False, adapter: str | int = "auto"
    ) -> Returns:
        """Whole episodes are played on the device, one in each of as many worlds.

        Parameters
        ----------
        episodes : int
            How many, at least 1.
        seed : int
            Seed of the first states and of the actions.
        sampled : bool
            Whether actions are drawn; else the most likely ones are taken.
        adapter : str or int
            The device: "auto", an index, or part of a name.
        """
        _device.prepare()
        episodes, seed = _arguments.whole("episodes", episodes, 1), _arguments.whole("seed", seed)
        return self._native.evaluate(episodes, seed, bool(sampled), _arguments.adapter(adapter))

    def film(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        worlds: int = 16,
        seconds: float = 5.0,
        size: int = 320,
        seed: int = 1,
        adapter: str | int = "auto",
    ) -> bytes:
        """A film of some worlds under the policy is drawn, as ``manyworlds render`` does, in a process of its own.

        Parameters
        ----------
        path : path, optional
            File that it is written to besides, whose name ends in ``.gif``.
        worlds : int
            Worlds, each a tile of the picture.
        seconds : float
            Length of the film.
        size : int
            Pixels of the picture's longer side at most.
        seed : int
            Seed of the first states.
        adapter : str or int
            The device.

        Returns
        -------
        bytes
            An animated GIF.
        """
        with tempfile.TemporaryDirectory(prefix="manyworlds-") as folder:
            checkpoint, film = Path(folder, "policy.safetensors"), Path(folder, "film.gif")
            self.save(checkpoint)
            options = {"worlds": worlds, "seconds": seconds, "size": size, "seed": seed}
            options["adapter"] = _arguments.adapter(adapter)
            command = [sys.executable, "-m", "manyworlds", "render", str(checkpoint), "--output", str(film)]
            command += [f"--{name}={value}" for name, value in options.items()]
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0 or not film.exists():
                lines = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode} and said nothing"]
                kind = UsageError if done.returncode == 2 else Error
                raise kind(f"film: {lines[-1].removeprefix('error: ')}")
            gif = film.read_bytes()
        if path is not None:
            Path(_arguments.path("path", path)).write_bytes(gif)
        return gif

    def to_torch(self) -> Module:
        """A `torch.nn.Module` with these networks is made, whose parameters are copies.

        Its ``actor`` and, where there is one, ``critic`` are `torch.nn.Sequential`, normalisation included:
        ``actor(observations)`` are logits, or means; ``log_std`` is a parameter where deviations do not depend on the
        observation. Called with observations it gives the deterministic actions, ``distribution(observations)`` what
        actions are drawn from, ``values(observations)`` V.
        """
        from manyworlds._torch import Module

        return Module(self)

    def load_torch(self, module: Module) -> None:
        """Tensors of a module that `to_torch` has made take the place of its own; those that the module does not have
        stay.

        Raises
        ------
        UsageError
            Where a tensor has another shape, or a number that is not finite; nothing is changed then.
        """
        tensors = self.tensors()
        for name, tensor in module.named_tensors():
            own, values = tensors.get(name), tensor.detach().cpu().numpy()
            if own is None or own.shape != values.shape:
                found = "has no such tensor" if own is None else f"has {list(own.shape)}"
                raise UsageError(
                    f"module: '{name}' is {list(values.shape)}, and the policy {found}; give a module that this "
                    "policy's to_torch made"
                )
            own[...] = values
        self.set_parameters(np.concatenate([tensor.reshape(-1) for tensor in tensors.values()]))

    def _rows(self, observations: Any) -> tuple[np.ndarray, tuple[int, ...]]:
        """Observations one below the other, in float64, and the shape that they had."""
        array = _arguments.numbers("observations", observations)
        features = self._features
        if array.ndim == 0 or array.shape[-1] != features:
            raise UsageError(
                f"observations: their shape is {list(array.shape)}; {self.env.name} observes {features} numbers, so "
                f"give [{features}] or [..., {features}]"
            )
        rows = array.reshape(-1, features).astype(np.float64)
        with np.errstate(over="ignore"):
            finite = np.isfinite(rows.astype(np.float32))
        if not finite.all():
            row, place = np.argwhere(~finite)[0]
            where = list(map(int, np.unravel_index(row, array.shape[:-1]))) + [int(place)]
            raise UsageError(
                f"observations: number {where} is {rows[row, place]}; it must be a finite number that float32 can hold"
            )
        return rows, array.shape[:-1]

    def _outputs(self, x: np.ndarray, layers: list[tuple[Any, ...]]) -> np.ndarray:
        """What layers make of rows."""
        with np.errstate(over="ignore", invalid="ignore"):
            for kind, *of in layers:
                if kind == "normalise":
                    x = np.clip((x - of[0]) * of[1], -MOST_NORMALISED, MOST_NORMALISED)
                elif kind == "dense":
                    x = x @ of[0].T + of[1]
                else:
                    x = np.tanh(x) if kind == "tanh" else np.maximum(x, 0)
        if not np.isfinite(x).all():
            raise UsageError("policy: its outputs are not finite, for its parameters overflow; take another checkpoint")
        return x

    def _chosen(
        self, logits: np.ndarray, lead: tuple[int, ...], counts: list[int], masked: bool, action_mask: Any
    ) -> np.ndarray:
        """The most likely action of each choice, the first of equals."""
        total = sum(counts)
        if action_mask is None and masked:
            raise UsageError(
                f"action_mask: {self.env.name} says which actions are allowed, so give a flag for each, bool "
                f"{[*lead, total]}"
            )
        ends = np.cumsum(counts)[:-1]
        if action_mask is not None:
            mask = np.asarray(action_mask)
            if mask.dtype.kind not in "biu" or mask.shape != (*lead, total):
                raise UsageError(
                    f"action_mask: it is {mask.dtype} {list(mask.shape)}; give a flag for each of {total} actions of "
                    f"every observation, bool {[*lead, total]}"
                )
            allowed = mask.reshape(-1, total) != 0
            for choice, flags in enumerate(np.split(allowed, ends, axis=1)):
                if not flags.any(axis=1).all():
                    row = int(np.argmin(flags.any(axis=1)))
                    raise UsageError(f"action_mask: no action of choice {choice} is allowed in observation {row}")
            logits = np.where(allowed, logits, -np.inf)
        actions = np.stack([part.argmax(axis=1) for part in np.split(logits, ends, axis=1)], axis=1).astype(np.int64)
        return actions.reshape(lead)[()] if len(counts) == 1 else actions.reshape(*lead, len(counts))

    def __repr__(self) -> str:
        told = "" if self.evaluation is None else f", evaluation={self.evaluation}"
        return f"Policy({self.env.name!r}, {self.algo!r}, updates={self.updates}{told})"


def _widened(layers: list[tuple[Any, ...]] | None) -> list[tuple[Any, ...]] | None:
    """Layers whose numbers are float64."""
    if layers is None:
        return None
    return [tuple(of.astype(np.float64) if isinstance(of, np.ndarray) else of for of in layer) for layer in layers]
