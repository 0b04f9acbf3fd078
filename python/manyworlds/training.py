"""Training: agents that learn on the device, report by report or to the end."""

from __future__ import annotations

import html
import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from manyworlds import _arguments, _device, _native
from manyworlds._native import Returns
from manyworlds.environment import Environment
from manyworlds.errors import FileError, UsageError
from manyworlds.policy import Policy

__all__ = ["Curve", "Report", "Run", "Trainer", "train"]

METRICS_FILE, EVALUATIONS_FILE = "metrics.jsonl", "evaluations.jsonl"


class Report(NamedTuple):
    """A report tells of some updates, and of the evaluation behind them where there was one.

    Attributes
    ----------
    updates : int
        Updates that are finished, these included.
    env_steps : int
        Steps that all worlds of the first agent have made.
    metrics : dict of arrays ``[update, agent]``
        Numbers of every update by the names of ``metrics.jsonl``: those of all runs (``step``, ``mean_return``, ...)
        and what the algorithm measures. What is not known yet is NaN.
    evaluation : list of (Returns, Policy), or None
        Of each agent how its deterministic policy fared, and the policy.
    """

    updates: int
    env_steps: int
    metrics: dict[str, np.ndarray]
    evaluation: list[tuple[Returns, Policy]] | None

    def __repr__(self) -> str:
        told = "" if self.evaluation is None else f", evaluation={', '.join(str(of) for of, _ in self.evaluation)}"
        return f"Report(updates={self.updates}, env_steps={self.env_steps}{told})"


class Trainer:
    """A trainer is an iterator of reports; agents with several seeds learn side by side, each as if it were alone.

    Other threads of Python go on while the device works. An interrupt is heard between reports, about a second at most.
    Results are those of the command line, bit for bit, with the same settings, adapter and driver.

    Parameters
    ----------
    env : Environment, name or path
        What is learned.
    algo : str
        The algorithm: "ppo", "a2c", "reinforce", "npg", "trpo", "ddpg", "td3", "sac", "cem", "ga", "pattern", "es",
        "ars" or "random".
    seeds : int or iterable of int
        A seed for each agent, from 0 to 2**32 - 1.
    overrides : dict of float, optional
        Constants of the environment that get another value.
    init : path or Policy, optional
        What agents begin with in place of their seeds' first parameters.
    until_solved : bool
        Nothing is computed behind an evaluation before its report was taken: for callers who may stop there. Results
        are the same.
    adapter : str or int
        The device: "auto", an index, or part of a name.
    **settings : bool, int, float, str or list
        Settings of the algorithm over the preset of the environment, such as ``num_envs=256`` or ``hidden=[32, 32]``.

    Raises
    ------
    UsageError
        Where a name or a value is not allowed, or buffers are larger than the device can bind; with what is.
    FileError
        Where a file cannot be read.
    DeviceError
        Where there is no such device, or it is lost.

    Warns
    -----
    UserWarning
        Where the first policy hardly reaches the bounds of its actions.

    Examples
    --------
    >>> for report in Trainer("CartPole-v1", seeds=[1, 2]):  # doctest: +SKIP
    ...     print(report.env_steps, report.metrics["mean_return"][-1])
    """

    def __init__(
        self,
        env: str | os.PathLike[str] | Environment,
        algo: str = "ppo",
        *,
        seeds: int | Iterable[int] = (1,),
        overrides: dict[str, float] | None = None,
        init: str | os.PathLike[str] | Policy | None = None,
        until_solved: bool = False,
        adapter: str | int = "auto",
        **settings: Any,
    ):
        self.env = Environment.of(env, overrides)
        self.algo = _arguments.text("algo", algo, "ppo")
        self.seeds = _arguments.seeds(seeds)
        begin, adapter, settings = _begin(init), _arguments.adapter(adapter), _arguments.settings(settings)
        _device.prepare()
        self._native = _native.Trainer(self.env._native, algo, settings, self.seeds, begin, bool(until_solved), adapter)
        if self._native.misfit is not None:
            warnings.warn(self._native.misfit, stacklevel=2)
        # of the last evaluation, a line of JSON for each agent
        self._lines: list[str] = []

    @property
    def config(self) -> dict[str, Any]:
        """Every setting by name."""
        return json.loads(self._native.config)

    @property
    def num_updates(self) -> int:
        """Updates of the whole run."""
        return self._native.num_updates

    @property
    def begins_with(self) -> str | None:
        """What was taken of `init` and what was not, in a sentence."""
        return self._native.begins_with

    def __iter__(self) -> Iterator[Report]:
        return self

    def __next__(self) -> Report:
        """The next report; an error of training is raised behind the report of the updates before it.

        Raises
        ------
        TrainingError
            Where a number is not finite, or a loop of the environment does not end.
        DeviceError
            Where the device is lost, or this is the fork of the process that made the trainer.
        """
        told = self._native.next()
        if told is None:
            raise StopIteration
        updates, env_steps, lines, agents = told
        if agents is not None:
            self._lines = [line for line, _, _ in agents]
            agents = [(returns, Policy(policy)) for _, returns, policy in agents]
        return Report(updates, env_steps, _columns(lines), agents)

    def __repr__(self) -> str:
        return f"Trainer({self.env.name!r}, {self.algo!r}, seeds={self.seeds})"


class Curve(NamedTuple):
    """A learning curve: what evaluations of the deterministic policy came to.

    Attributes
    ----------
    env_steps : int64 ``[evaluations]``
        Steps that all worlds of the first agent had made.
    mean, std : float64 ``[evaluations, agents]``
        Mean return and standard deviation of the returns; of one episode the deviation is NaN.
    """

    env_steps: np.ndarray
    mean: np.ndarray
    std: np.ndarray


class Run:
    """A run is what training has left: policies, metrics and evaluations of each agent.

    Attributes
    ----------
    env : Environment
        What was learned.
    algo : str
        The algorithm.
    seeds : list of int
        The seed of each agent.
    policies : list of Policy
        Each agent's last policy that was evaluated; with ``until_solved`` its first that has passed.
    metrics : dict of arrays ``[update, agent]``
        Numbers of every update by the names of ``metrics.jsonl``.
    evaluations : list of lists of Returns ``[evaluation][agent]``
        How the deterministic policies fared.
    env_steps : int
        Steps that all worlds of the first agent have made.
    wall_s : float
        Seconds that it took, compiling included.
    directory : Path or None
        The run directory, where there is one.
    """

    def __init__(
        self,
        policies: list[Policy],
        metrics: dict[str, np.ndarray],
        lines: list[list[str]],
        wall_s: float,
        directory: Path | None = None,
    ):
        self.policies, self.metrics, self.wall_s, self.directory = policies, metrics, wall_s, directory
        self.env, self.algo = policies[0].env, policies[0].algo
        self.seeds: list[int] = [policy.config["seed"] for policy in policies]
        # of evaluations.jsonl, [evaluation][agent]
        self._lines = lines
        self.evaluations = [[Returns.of(json.loads(line)) for line in agents] for agents in lines]
        steps = metrics.get("step")
        self.env_steps = int(steps[-1, 0]) if steps is not None and len(steps) else 0

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Run:
        """A run directory is read: one that `train` or the command line has written, of one seed or of several.

        Raises
        ------
        FileError
            Where it is no run directory, or something cannot be read.
        UsageError
            Where a checkpoint is damaged.
        """
        path = Path(_arguments.path("directory", directory))
        folders = [path] if (path / METRICS_FILE).exists() else sorted(path.glob("seed-*"), key=_seed)
        if not folders:
            raise FileError(
                f"{path}: there is no run here; name a directory that holds {METRICS_FILE} or folders of seeds"
            )
        policies = [Policy.load(folder) for folder in folders]
        lines = [_lines(folder / METRICS_FILE) for folder in folders]
        evaluations = [_lines(folder / EVALUATIONS_FILE) for folder in folders]
        metrics = _columns(lines)
        agents = [list(of_all) for of_all in zip(*evaluations, strict=False)]
        seconds = metrics.get("seconds")
        wall_s = float(seconds[-1].max()) if seconds is not None and len(seconds) else 0.0
        return cls(policies, metrics, agents, wall_s, path)

    @property
    def policy(self) -> Policy:
        """The policy of the first agent."""
        return self.policies[0]

    @property
    def solved(self) -> bool:
        """Whether every agent has passed the environment's threshold at some evaluation (`Returns.passes`)."""
        threshold = self.env.reward_threshold
        if threshold is None:
            return False
        agents = zip(*self.evaluations, strict=True)
        return bool(self.evaluations) and all(any(of.passes(threshold) for of in every) for every in agents)

    def curve(self) -> Curve:
        """The curve of its evaluations, as arrays."""
        steps = [json.loads(agents[0])["step"] for agents in self._lines]
        shape = (len(self.evaluations), len(self.policies))
        mean = [of.mean for agents in self.evaluations for of in agents]
        std = [math.nan if of.std is None else of.std for agents in self.evaluations for of in agents]
        return Curve(np.asarray(steps, np.int64), *(np.asarray(of, np.float64).reshape(shape) for of in (mean, std)))

    def svg(self) -> str:
        """The curve of its training and its evaluations is drawn, as SVG."""
        seeds = []
        for agent, seed in enumerate(self.seeds):
            numbers = [self.metrics[name][:, agent].tolist() for name in ("step", "seconds", "mean_return")]
            lines = [
                json.dumps({"step": step, "seconds": seconds, "mean_return": None if math.isnan(mean) else mean})
                for step, seconds, mean in zip(*numbers, strict=True)
            ]
            seeds.append((seed, lines, [agents[agent] for agents in self._lines]))
        return _native.curve(self.env._native, self.algo, seeds)

    def film(self, path: str | os.PathLike[str] | None = None, **options: Any) -> bytes:
        """A film of the first agent's policy is drawn, as a GIF: see `Policy.film`."""
        return self.policy.film(path, **options)

    def display(self, film: bool = True) -> None:
        """A notebook shows the table, the curve and, where that is wanted, a film of the policy."""
        from IPython.display import HTML, Image, display

        display(HTML(self._repr_html_()))
        if film:
            display(Image(data=self.film(), format="gif"))

    def _repr_html_(self) -> str:
        rows = [("environment", self.env.name), ("algorithm", self.algo)]
        for seed, policy in zip(self.seeds, self.policies, strict=True):
            rows.append((f"return of seed {seed}", str(policy.evaluation)))
        rows += [
            ("steps", f"{self.env_steps:,}"),
            ("seconds", f"{self.wall_s:.1f}"),
            ("solved", "yes" if self.solved else "no"),
        ]
        cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
        return f"<table>{cells}</table>{self.svg()}"

    def __repr__(self) -> str:
        last = ", ".join(str(policy.evaluation) for policy in self.policies)
        return (
            f"Run({self.env.name!r}, {self.algo!r}, seeds={self.seeds}, env_steps={self.env_steps}, "
            f"wall_s={self.wall_s:.1f}, solved={self.solved}, evaluation={last})"
        )


def train(
    env: str | os.PathLike[str] | Environment,
    algo: str = "ppo",
    *,
    seeds: int | Iterable[int] = 1,
    until_solved: bool = False,
    directory: str | os.PathLike[str] | None = None,
    overrides: dict[str, float] | None = None,
    init: str | os.PathLike[str] | Policy | None = None,
    adapter: str | int = "auto",
    progress: bool = True,
    **settings: Any,
) -> Run:
    """Agents are trained to the end, or until all of them have solved their environment.

    Parameters
    ----------
    env, algo, overrides, init, adapter, **settings
        As those of `Trainer`.
    seeds : int or iterable of int
        A seed for each agent, or one.
    until_solved : bool
        The run ends when every agent has passed the environment's threshold at an evaluation, with three standard
        errors to spare; its policy is then the one of the first evaluation that passed.
    directory : path, optional
        A run directory is written, which the command line takes (``eval``, ``render``, ``plot``, ``train --resume``);
        it must be empty or not there.
    progress : bool
        A line on standard error tells how far it is, where that is a terminal.

    Raises
    ------
    UsageError, FileError, DeviceError, TrainingError
        As `Trainer` and its reports; UsageError too where nothing says when the environment is solved.
    KeyboardInterrupt
        About a second after an interrupt; a run directory of one seed has a checkpoint then, from which the command
        line goes on.
    """
    environment = Environment.of(env, overrides)
    if until_solved and environment.reward_threshold is None:
        raise UsageError(
            f"until_solved: {environment.name} declares no REWARD_THRESHOLD, so there is nothing to reach; leave "
            "until_solved out"
        )
    told = _progress(environment.name, algo) if progress and sys.stderr is not None and sys.stderr.isatty() else None
    try:
        if directory is None:
            return _in_memory(environment, algo, seeds, until_solved, init, adapter, told, settings)
        path = _arguments.path("directory", directory)
        algo, adapter = _arguments.text("algo", algo, "ppo"), _arguments.adapter(adapter)
        every, begin, settings = _arguments.seeds(seeds), _begin(init), _arguments.settings(settings)
        command = f"manyworlds.train({environment.name!r}, {algo!r}, seeds={every})"
        _device.prepare()
        notes = _native.train_into(
            path, environment._native, algo, settings, every, begin, bool(until_solved), adapter, command, told
        )
    finally:
        if told is not None:
            print(file=sys.stderr)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Run.load(path)


def _in_memory(
    env: Environment,
    algo: str,
    seeds: int | Iterable[int],
    until_solved: bool,
    init: str | os.PathLike[str] | Policy | None,
    adapter: str | int,
    told: Callable[..., None] | None,
    settings: dict[str, Any],
) -> Run:
    """A run that is nowhere written."""
    started, threshold = time.monotonic(), env.reward_threshold
    trainer = Trainer(env, algo, seeds=seeds, init=init, until_solved=until_solved, adapter=adapter, **settings)
    if until_solved and trainer.config["eval_episodes"] < 2:
        raise UsageError("eval_episodes: one episode never counts as solved, so until_solved needs at least 2")
    reports, lines = [], []
    policies: list[Policy | None] = [None] * len(trainer.seeds)
    passed = [False] * len(trainer.seeds)
    for report in trainer:
        reports.append(report.metrics)
        if told is not None:
            told(report.updates, trainer.num_updates, report.env_steps, report.metrics["mean_return"][-1, 0])
        if report.evaluation is None:
            continue
        lines.append(trainer._lines)
        for agent, (returns, policy) in enumerate(report.evaluation):
            if until_solved and passed[agent]:
                continue
            policies[agent] = policy
            passed[agent] = threshold is not None and returns.passes(threshold)
        if until_solved and all(passed):
            break
    metrics = {name: np.concatenate([of[name] for of in reports]) for name in reports[0]}
    return Run([policy for policy in policies if policy is not None], metrics, lines, time.monotonic() - started)


def _begin(init: str | os.PathLike[str] | Policy | None) -> str | _native.Policy | None:
    """What agents begin with, as the native half takes it."""
    if init is None:
        return None
    return init._native if isinstance(init, Policy) else _arguments.path("init", init)


def _progress(env: str, algo: str) -> Callable[[int, int, int, float | None], None]:
    """Something that tells in one line how far a run is."""
    started = time.monotonic()

    def tell(updates: int, num_updates: int, env_steps: int, mean_return: float | None) -> None:
        rate = env_steps / max(time.monotonic() - started, 1e-9)
        known = mean_return is not None and not math.isnan(mean_return)
        line = f"{env} {algo}: {updates / num_updates:4.0%}, {env_steps:,} steps, {rate:,.0f}/s"
        line += f", return {mean_return:.1f}" if known else ""
        print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)

    return tell


def _seed(folder: Path) -> int:
    number = folder.name.removeprefix("seed-")
    return int(number) if number.isdecimal() else sys.maxsize


def _lines(path: Path) -> list[str]:
    """The lines of a file of JSON; one that was cut off is left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(f"{path}: it cannot be read: {error}") from None
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _columns(agents: list[list[str]]) -> dict[str, np.ndarray]:
    """Numbers of lines of `metrics.jsonl` `[agent][update]` by name, `[update, agent]`; null is NaN."""
    updates = [[json.loads(line) for line in lines] for lines in zip(*agents, strict=False)]
    columns = {}
    for name in updates[0][0] if updates else ():
        rows = [[line.get(name) for line in lines] for lines in updates]
        whole = all(isinstance(value, int) for row in rows for value in row)
        columns[name] = np.array(rows, np.int64 if whole else np.float64)
    return columns
