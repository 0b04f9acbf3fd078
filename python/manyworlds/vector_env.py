"""Thousands of worlds behind Gymnasium's vector interface, and one behind its plain one."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from manyworlds import _arguments, _device, _native
from manyworlds.environment import Environment
from manyworlds.errors import UsageError

__all__ = ["Env", "VectorEnv"]

MODES = {mode.value: mode for mode in AutoresetMode}
MODES |= {
    "same-step": AutoresetMode.SAME_STEP,
    "next-step": AutoresetMode.NEXT_STEP,
    "disabled": AutoresetMode.DISABLED,
}
DRAWN = "worlds are drawn by `manyworlds render` and Run.film, not here"
NATIVE = {mode: name for name, mode in MODES.items() if "-" in name or name == "disabled"}


class VectorEnv(gymnasium.vector.VectorEnv):
    """Many worlds of one environment on a device, behind the vector interface of Gymnasium 1.1 and later.

    A step of all worlds is one submission to the device. What it leaves is written once, into arrays of NumPy that are
    used again as soon as nobody holds them any more, or a view or a tensor of them: what you keep stays as it is.
    World i draws the same numbers whatever runs beside it.

    Parameters
    ----------
    env : str, path or Environment
        The name of a built-in environment, the path of a ``.wgsl`` file, or an `Environment`.
    num_envs : int
        Number of worlds.
    seed : int, optional
        Seed of all worlds, below 2**32; a random one where none is given.
    autoreset : str or gymnasium.vector.AutoresetMode
        When a world begins its next episode: ``"same-step"``, in the step that ends one (``infos["final_obs"]`` has
        the last observation); ``"next-step"``, in the step after, which is spent on it; ``"disabled"``, by `reset`
        with a ``reset_mask``.
    adapter : str or int
        Which GPU: ``"auto"``, an index, or part of a name.
    **overrides : float
        Constants of the environment that get another value, such as ``gravity=3.7``.

    Attributes
    ----------
    env : Environment
        What the worlds are of.

    Raises
    ------
    UsageError
        Where an argument cannot be used; a `ValueError`.
    DeviceError
        Where there is no device, or it was lost; a `RuntimeError`.

    Examples
    --------
    >>> envs = manyworlds.VectorEnv("CartPole-v1", 4096, seed=1)
    >>> observations, infos = envs.reset()
    >>> observations, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
    """

    def __init__(
        self,
        env: str | os.PathLike[str] | Environment,
        num_envs: int = 1,
        seed: int | None = None,
        autoreset: str | AutoresetMode = "same-step",
        *,
        adapter: str | int = "auto",
        render_mode: None = None,
        **overrides: float,
    ):
        word = autoreset.value if isinstance(autoreset, AutoresetMode) else autoreset
        mode = MODES.get(word) if isinstance(word, str) else None
        if mode is None:
            raise UsageError(f"autoreset {_arguments.shown(autoreset)}: there are same-step, next-step and disabled")
        if render_mode is not None:
            raise UsageError(f"render_mode {_arguments.shown(render_mode)}: {DRAWN}")
        self.env = Environment.of(env, overrides)
        self.num_envs = _arguments.whole("num_envs", num_envs, 1)
        if seed is not None:
            gymnasium.vector.VectorEnv.reset(self, seed=_arguments.world_seed(seed))
        adapter = _arguments.adapter(adapter)
        self._mode = mode
        self._begun = False
        _device.prepare(exchange=True)
        first = self._draw() if seed is None else seed
        # before anything is made for so many worlds here: the device says kindly how many it takes
        self._worlds = _native.Worlds(self.env._native, self.num_envs, first, NATIVE[mode], adapter)
        self._ended = self._none()
        self._all = np.ones(self.num_envs, np.bool_)
        self.metadata = {"autoreset_mode": mode, "render_modes": []}
        self.single_observation_space = self.env.observation_space
        self.single_action_space = self.env.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def _draw(self) -> int:
        """A seed from the environment's own generator."""
        return int(self.np_random.integers(2**32))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begins episodes and gives their first observations.

        Parameters
        ----------
        seed : int, optional
            Begins the first episodes under this seed, as new worlds would. Without it worlds begin their next
            episodes, or, where nothing was reset yet, their first.
        options : dict, optional
            ``{"reset_mask": mask}`` begins the next episodes of some worlds only, ``[num_envs]`` of bool; the others
            stay as they are.

        Returns
        -------
        observations : float32 array ``[num_envs, numbers]``
        infos : dict
            ``action_mask`` ``[num_envs, actions]`` of int8 where the environment says which actions are allowed.
        """
        if not isinstance(options, (dict, type(None))):
            raise UsageError(f"options {_arguments.shown(options)}: there is {{'reset_mask': mask}}")
        options = dict(options or {})
        mask = options.pop("reset_mask", None)
        if options:
            given = ", ".join(map(_arguments.shown, options))
            raise UsageError(f"options {given}: there is reset_mask; constants are given to the constructor")
        if mask is not None:
            mask = self._mask(mask, seed)
        elif seed is not None:
            super().reset(seed=_arguments.world_seed(seed))
        elif self._begun:
            mask = self._all
        observations, masks = self._worlds.reset(seed, None if mask is None else mask.tolist())
        self._ended = self._none() if mask is None else self._ended & ~mask
        self._begun = True
        return observations, self._infos({} if masks is None else {"action_mask": masks})

    def _none(self) -> NDArray[np.bool_]:
        return np.zeros(self.num_envs, np.bool_)

    def _mask(self, mask: Any, seed: int | None) -> NDArray[np.bool_]:
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            given = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
            raise UsageError(f"reset_mask is {given}, expected a NumPy array of bool of shape ({self.num_envs},)")
        if not mask.any():
            raise UsageError("reset_mask chooses no world; leave the reset out")
        if seed is not None:
            raise UsageError("seed with a reset_mask: all worlds have one seed; leave one of the two out")
        return mask

    def step(
        self, actions: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Makes one step of every world.

        Parameters
        ----------
        actions : array
            ``[num_envs]`` integers, ``[num_envs, choices]`` integers, or ``[num_envs, numbers]`` real numbers, as
            `action_space` has them. Real numbers are not clipped; what one past the bounds means is the environment's.

        Returns
        -------
        observations : float32 array ``[num_envs, numbers]``
        rewards : float32 array ``[num_envs]``
        terminations, truncations : bool arrays ``[num_envs]``
            How episodes ended: by the environment, by the step limit; both can be.
        infos : dict
            With same-step autoreset and where an episode has ended: ``final_obs`` ``[num_envs]`` of objects, an array
            where one has and None elsewhere, ``final_info``, and their masks ``_final_obs`` and ``_final_info``.
            ``action_mask`` as in `reset`.
        """
        actions = self._actions(actions)
        if self._mode is AutoresetMode.DISABLED and self._ended.any():
            world = int(np.argmax(self._ended))
            raise UsageError(
                f"the episode of world {world} has ended, and autoreset is disabled: "
                'reset it with options={"reset_mask": terminations | truncations} before the next step'
            )
        self._begun = True
        observations, rewards, terminations, truncations, infos = self._worlds.step(actions)
        if self._mode is AutoresetMode.DISABLED:
            self._ended = terminations | truncations
        return observations, rewards, terminations, truncations, self._infos(infos, terminations, truncations)

    def step_many(
        self, actions: ArrayLike, *, keep: str = "each"
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Makes k steps of every world in one submission, with actions that are all there before.

        Parameters
        ----------
        actions : array
            As those of `step`, with an axis of k steps in front: 4,096 at most, or a million where ``keep="sums"``
            goes with same-step autoreset and a single choice.
        keep : str
            ``"each"``: what k calls of `step` give, stacked: observations ``[k, num_envs, numbers]``, all else
            ``[k, num_envs]``. ``"sums"``, which copies hardly anything: observations after the last step
            ``[num_envs, numbers]``, the sum of the rewards, and whether any step terminated or truncated
            ``[num_envs]``; sums go on over the end of an episode.

        Returns
        -------
        observations, rewards, terminations, truncations, infos
            As `step` gives them; ``final_obs`` with ``keep="each"`` only, ``[k, num_envs]``. ``action_mask`` is that
            behind the last step only, ``[num_envs, actions]``.

        Notes
        -----
        An interrupt is heard when the call ends, not between its steps.
        """
        if not isinstance(keep, str) or keep not in ("each", "sums"):
            raise UsageError(f"keep {_arguments.shown(keep)}: there are each and sums")
        if self._mode is AutoresetMode.DISABLED:
            raise UsageError(
                "step_many with autoreset disabled: an ended episode would go on; take same-step or next-step"
            )
        actions = self._actions(actions)
        if actions.ndim < 2 or not len(actions):
            raise UsageError(f"actions have shape {actions.shape}, expected an axis of at least one step in front")
        self._begun = True
        observations, rewards, terminations, truncations, infos = self._worlds.step_many(
            actions, len(actions), keep == "each"
        )
        return observations, rewards, terminations, truncations, self._infos(infos, terminations, truncations)

    def _actions(self, actions: ArrayLike) -> NDArray[Any]:
        """Actions as an array of a kind that the native half takes."""
        try:
            actions = np.asarray(actions)
        except (TypeError, ValueError, OverflowError) as reason:
            raise UsageError(
                f"actions are no array: {reason}; give one such as action_space.sample() does"
            ) from None
        if isinstance(self.single_action_space, gymnasium.spaces.Box):
            if actions.dtype != np.float32 and actions.dtype.kind in "fiu":
                # what is past float32 becomes infinite, and is refused by name
                with np.errstate(over="ignore"):
                    actions = actions.astype(np.float32)
        elif not actions.dtype.isnative and actions.dtype.kind in "iu":
            actions = actions.astype(actions.dtype.newbyteorder("="))
        return np.require(actions, requirements="CA")

    def _infos(
        self,
        infos: dict[str, Any],
        terminations: NDArray[np.bool_] | None = None,
        truncations: NDArray[np.bool_] | None = None,
    ) -> dict[str, Any]:
        """Infos with the masks that Gymnasium puts beside them."""
        if "final_obs" in infos:
            ended = terminations | truncations
            infos |= {"_final_obs": ended, "final_info": {}, "_final_info": ended.copy()}
        if "action_mask" in infos:
            infos["_action_mask"] = self._all.copy()
        return infos

    @property
    def states(self) -> NDArray[np.float64]:
        """States of all worlds ``[num_envs, words]``, words in the order of the environment's ``State``; a copy.

        A state that is set is the start of an episode, whether or not the one before had ended. The step limit and the
        draws of each world count anew from there: the episodes after it are the world's first again.
        """
        return self._worlds.states()

    @states.setter
    def states(self, states: ArrayLike) -> None:
        states = _arguments.numbers("states", states)
        if states.ndim != 2:
            raise UsageError(f"states are {states.dtype} {states.shape}, expected numbers of shape [num_envs, words]")
        self._worlds.set_states(states.astype(np.float64).tolist())
        self._ended = self._none()
        self._begun = True

    def close_extras(self, **kwargs: Any) -> None:
        """Lets go of the worlds."""
        if hasattr(self, "_worlds"):
            self._worlds.close()
            # so that a step says that they were closed, whatever else
            self._ended = self._none()

    def render(self) -> None:
        """Is not there."""
        raise NotImplementedError(DRAWN)

    def __reduce__(self) -> Any:
        raise TypeError(
            "a VectorEnv lives on a device and is neither pickled nor copied; "
            "hand over what makes one, such as functools.partial(manyworlds.VectorEnv, 'CartPole-v1', 64)"
        )

    def __repr__(self) -> str:
        return f"VectorEnv({self.env.name}, num_envs={self.num_envs})"


class Env(gymnasium.Env):
    """One world behind Gymnasium's plain interface, to look at environments and to play; `VectorEnv` is for speed.

    Parameters
    ----------
    env : str, path or Environment
        As `VectorEnv` takes it.
    adapter : str or int
        Which GPU: ``"auto"``, an index, or part of a name.
    **overrides : float
        Constants of the environment that get another value.
    """

    metadata = {"render_modes": []}

    def __init__(
        self,
        env: str | os.PathLike[str] | Environment,
        *,
        adapter: str | int = "auto",
        render_mode: None = None,
        **overrides: float,
    ):
        if render_mode is not None:
            raise UsageError(f"render_mode {_arguments.shown(render_mode)}: {DRAWN}")
        self.env = Environment.of(env, overrides)
        self.observation_space = self.env.observation_space
        self.action_space = self.env.action_space
        self._many = VectorEnv(self.env, 1, autoreset="disabled", adapter=adapter)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begins an episode: the first under a seed, or the next one."""
        if seed is not None:
            super().reset(seed=_arguments.world_seed(seed))
        observations, infos = self._many.reset(seed=seed, options=options)
        return observations[0].copy(), self._info(infos)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Makes one step."""
        if self._many._ended[0]:
            raise UsageError("the episode has ended: call reset() before the next step")
        observations, rewards, terminations, truncations, infos = self._many.step(np.asarray(action)[None])
        return observations[0].copy(), float(rewards[0]), bool(terminations[0]), bool(truncations[0]), self._info(infos)

    def _info(self, infos: dict[str, Any]) -> dict[str, Any]:
        return {name: infos[name][0] for name in infos if not name.startswith("_")}

    def close(self) -> None:
        """Lets go of the world."""
        if hasattr(self, "_many"):
            self._many.close()

    def render(self) -> None:
        """Is not there."""
        raise NotImplementedError(DRAWN)

    def __reduce__(self) -> Any:
        raise TypeError(
            "an Env lives on a device and is neither pickled nor copied; "
            "hand over what makes one, such as functools.partial(manyworlds.Env, 'CartPole-v1')"
        )
