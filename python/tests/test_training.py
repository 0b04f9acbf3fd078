"""Trainers and runs: results are the command line's, and what is wrong is said."""

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from manyworlds import Environment, Policy, Run, Trainer, train
from manyworlds.errors import DeviceError, FileError, TrainingError, UsageError

# a run of 8 updates that takes no time
SHORT = {
    "num_envs": 16,
    "num_steps": 8,
    "total_timesteps": 1024,
    "hidden": [8],
    "eval_every": 4,
    "eval_episodes": 10,
    "num_minibatches": 2,
}

# the reward is highest where the action is what was observed
FOLLOW = """
const OBSERVATION_DIM: u32 = 1;
const ACTION_COUNT: u32 = 2;
const MAX_EPISODE_STEPS: u32 = 8;
const REWARD_THRESHOLD: f32 = 7.5;
override worth: f32 = 1.0;
struct State { side: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(f32(rng_below(rng, 2u))); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let right = f32(action) == (*s).side;
    (*s).side = f32(rng_below(rng, 2u));
    return Outcome(select(0.0, worth, right), false);
}
fn env_observe(s: State) -> Observation { return Observation(2.0 * s.side - 1.0); }
"""


# real numbers whose bounds a policy of deviation 1 hardly reaches
WIDE = "const ACTION_DIM: u32 = 1; const ACTION_LOW: f32 = -1000.0; const ACTION_HIGH: f32 = 1000.0;"


def command_line(*arguments):
    """The last line of JSON of a command."""
    command = [sys.executable, "-m", "manyworlds", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def as_sets(settings):
    """Settings as options of the command line."""
    words = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in settings.items()}
    return [word for name, value in words.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.parametrize(
    ("env", "algo", "settings"),
    [
        ("CartPole-v1", "ppo", SHORT),
        ("Pendulum-v1", "a2c", {"num_envs": 4, "total_timesteps": 256, "hidden": [8], "eval_episodes": 10}),
        (
            "Pendulum-v1",
            "sac",
            {
                "num_envs": 4,
                "total_timesteps": 800,
                "learning_starts": 100,
                "batch_size": 64,
                "hidden": [8],
                "eval_episodes": 10,
            },
        ),
        (
            "CartPole-v1",
            "cem",
            {"generations": 3, "population": 8, "elite_fraction": 0.5, "eval_episodes": 10, "hidden": [4]},
        ),
    ],
)
def test_results_are_those_of_the_command_line(tmp_path, env, algo, settings):
    out = tmp_path / "run"
    told = command_line("train", env, "--algo", algo, "--seed", 3, "--out", out, "--json", *as_sets(settings))
    run = train(env, algo, seeds=3, **settings)
    assert run.policy.params_hash == told["params_hash"]
    assert run.policy.evaluation.mean == told["eval"]["mean"]
    assert (run.env_steps, run.seeds, run.solved) == (told["env_steps"], [3], told["solved"])
    # of what is told nothing is lost but the seconds
    loaded = Run.load(out)
    assert list(loaded.metrics) == list(run.metrics)
    for name in run.metrics:
        if name not in ("seconds", "steps_per_s"):
            np.testing.assert_array_equal(run.metrics[name], loaded.metrics[name], name)
            assert run.metrics[name].dtype == loaded.metrics[name].dtype, name
    assert run.evaluations == loaded.evaluations
    assert loaded.policy.params_hash == told["params_hash"]


def test_reports_tell_of_every_update():
    trainer = Trainer("CartPole-v1", seeds=[1, 2, 5], **SHORT)
    assert trainer.num_updates == 8 and trainer.config["num_envs"] == 16 and trainer.seeds == [1, 2, 5]
    updates, evaluations = 0, 0
    for report in trainer:
        count = report.updates - updates
        updates = report.updates
        assert report.env_steps == updates * 16 * 8
        for name in ("step", "mean_return", "policy_loss", "entropy", "value_loss", "clip_fraction"):
            assert report.metrics[name].shape == (count, 3), name
        assert "kl_coef" not in report.metrics and report.metrics["update"][-1, 0] == updates - 1
        assert (report.evaluation is not None) == (updates % 4 == 0)
        if report.evaluation:
            evaluations += 1
            assert [policy.config["seed"] for _, policy in report.evaluation] == [1, 2, 5]
            assert report.evaluation[0][0].episodes == 10 and report.evaluation[0][1].updates == updates
    assert (updates, evaluations) == (8, 2)
    assert next(trainer, None) is None
    # beside others an agent is what it is alone
    alone = train("CartPole-v1", seeds=2, **SHORT)
    assert alone.policy.params_hash == report.evaluation[1][1].params_hash


def test_a_run_is_kept_in_a_directory(tmp_path):
    out = tmp_path / "run"
    run = train("CartPole-v1", seeds=4, directory=out, **SHORT)
    memory = train("CartPole-v1", seeds=4, **SHORT)
    assert run.policy.params_hash == memory.policy.params_hash and run.directory == out
    assert run.evaluations == memory.evaluations and (out / "curve.svg").exists()
    assert command_line("eval", out, "--episodes", 20, "--json")["episodes"] == 20
    more = command_line("train", "--resume", out, "--json", "--set", "total_timesteps=2048")
    assert more["updates"] == 16 == len(Run.load(out).metrics["step"])
    with pytest.raises(FileError, match="not empty"):
        train("CartPole-v1", directory=out, **SHORT)

    several = tmp_path / "several"
    run = train("CartPole-v1", seeds=range(4, 7), directory=several, **SHORT)
    assert run.seeds == [4, 5, 6] and run.policies[0].params_hash == memory.policy.params_hash
    assert run.metrics["mean_return"].shape == (8, 3) and np.asarray(run.curve().mean).shape == (2, 3)
    assert (several / "results.json").exists()
    for wrong in (tmp_path / "nothing", tmp_path):
        with pytest.raises(FileError, match="there is no run here"):
            Run.load(wrong)


def test_an_own_environment_is_solved(tmp_path):
    env = Environment.from_source(FOLLOW, "follow")
    settings = {**SHORT, "num_envs": 64, "total_timesteps": 200_000, "learning_rate": 0.01, "eval_episodes": 100}
    run = train(env, until_solved=True, seeds=[1, 2], **settings)
    assert run.solved and run.env_steps < 200_000 and all(policy.evaluation.mean > 7.5 for policy in run.policies)
    np.testing.assert_array_equal(run.policy([[-1.0], [1.0]]), [0, 1])
    # as the command line does it
    directory = train(env, until_solved=True, seeds=[1, 2], directory=tmp_path / "run", **settings)
    assert [p.params_hash for p in directory.policies] == [p.params_hash for p in run.policies]
    assert directory.solved and directory.env.name.startswith("follow")

    curve = run.curve()
    assert curve.env_steps.shape == (len(run.evaluations),) and curve.mean.shape == curve.std.shape == (
        len(curve.env_steps),
        2,
    )
    assert curve.mean[-1, 0] == run.evaluations[-1][0].mean and (np.diff(curve.env_steps) > 0).all()
    text = run._repr_html_()
    assert text.startswith("<table>") and "<svg" in text and "follow" in text and "yes" in text
    assert repr(run).startswith("Run('follow', 'ppo', seeds=[1, 2]")

    half = train(env, overrides={"worth": 0.5}, **{**settings, "total_timesteps": 20_000})
    assert not half.solved and half.policy.evaluation.max <= 4 and half.env.overrides["worth"] == 0.5


def test_a_run_begins_with_a_policy(tmp_path):
    first = train("CartPole-v1", **SHORT).policy
    first.save(tmp_path / "policy")
    runs = [train("CartPole-v1", seeds=9, init=init, **SHORT) for init in (first, tmp_path / "policy", None)]
    hashes = [run.policy.params_hash for run in runs]
    assert hashes[0] == hashes[1] != hashes[2]
    directory = train("CartPole-v1", seeds=9, init=first, directory=tmp_path / "run", **SHORT)
    assert directory.policy.params_hash == hashes[0] and (tmp_path / "run" / "init.safetensors").exists()
    trainer = Trainer("CartPole-v1", init=first, **SHORT)
    assert trainer.begins_with.startswith("begins with actor")
    for wrong, words in [
        ({"init": Policy.untrained("Pendulum-v1", hidden=[8])}, "take another environment"),
        ({"init": first, "hidden": [9]}, r"set hidden=\[8\]"),
        ({"init": tmp_path / "none"}, "none"),
        ({"init": 3}, "init: 3 is not a path"),
    ]:
        for more in ({}, {"directory": tmp_path / "other"}):
            with pytest.raises((UsageError, FileError), match=words):
                train("CartPole-v1", **{**SHORT, **wrong, **more})
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"learning_rat": 0.1}, "'learning_rat': there is no such setting; did you mean 'learning_rate'"),
        ({"learning_rate": "fast"}, '"fast" is not a number'),
        ({"learning_rate": None}, "None is of type NoneType; a setting is a bool, a number"),
        ({"learning_rate": {"a": 1}}, "of type dict"),
        ({"learning_rate": True}, "true is not a number"),
        ({"gamma": 1.5}, "1.5 is not allowed"),
        ({"gamma": float("nan")}, "NaN is not allowed"),
        ({"num_envs": -4}, "'num_envs'"),
        ({"num_envs": 0}, "0 is not allowed; it must be at least 1"),
        ({"num_envs": 10**30}, "'num_envs'"),
        ({"num_envs": 2**31, "num_steps": 1}, "num_envs"),
        ({"num_envs": 10**5000}, "num_envs: <int> is too large"),
        ({"activation": "\ud800"}, "activation: .* surrogate"),
        ({"\ud800": 1}, "settings: .* surrogate"),
        ({"hidden": [8, 0]}, "0 is not allowed"),
        ({"hidden": ["wide"]}, "'hidden'"),
        ({"delta": 0.5}, "npg and trpo; ppo does not read it"),
        ({"seed": 3}, "seeds are an argument of their own"),
        ({"seeds": []}, "seeds: none were given"),
        ({"seeds": -1}, "seeds: -1 is not allowed"),
        ({"seeds": [1, 2, 1]}, "seeds: 1 is there twice"),
        ({"seeds": "12"}, "'12' is not allowed; it must be a whole number"),
        ({"seeds": 2**32}, "4294967296 is not allowed"),
        ({"algo": "pppo"}, "no such algorithm 'pppo'"),
        ({"algo": None}, "algo: None is not a string"),
        ({"adapter": "no such device"}, "no such device"),
        ({"adapter": 1.5}, "adapter: 1.5 is not allowed; it is 'auto', an index"),
        ({"adapter": "\ud800"}, "adapter: .* is not allowed"),
        ({"adapter": 99}, "no adapter matches"),
        ({"algo": "\ud800"}, "algo: .* surrogate"),
        ({"overrides": {"gravty": 1}}, "gravity"),
        ({"overrides": {"gravity": "high"}}, "gravity='high': no argument has this name, and a constant"),
        ({"overrides": {"gravity": 10**400}}, "gravity=1.* it is too large"),
        ({"overrides": {"name": 1}}, "name"),
        ({"overrides": {3: 4}}, "overrides: 3 is not a string"),
        ({"overrides": 3}, "overrides: 3 is not a dictionary"),
        ({"env": 3}, "environment 3: it is a name, or the path"),
        ({"env": "CartPol-v1"}, "CartPole-v1"),
        ({"env": "no/such/file.wgsl"}, "no/such/file.wgsl"),
        ({"init": "no/such/file"}, "no/such/file"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, arguments, words):
    arguments = {"env": "CartPole-v1", **arguments}
    for call in (lambda: Trainer(**arguments), lambda: train(directory=tmp_path / "run", **arguments)):
        with pytest.raises(Exception, match=words) as raised:
            call()
        assert type(raised.value).__module__ == "manyworlds.errors", raised.value
    assert not (tmp_path / "run").exists()


def test_bounds_out_of_reach_are_warned_of(tmp_path):
    env = Environment.from_source(FOLLOW.replace("const ACTION_COUNT: u32 = 2;", WIDE).replace("action)", "action[0])"))
    for more in ({}, {"directory": tmp_path / "run"}):
        with pytest.warns(UserWarning, match="environment: "):
            train(env, **SHORT, **more)


def test_an_adapter_has_an_index(tmp_path):
    for more in ({}, {"directory": tmp_path / "run"}):
        run = train("CartPole-v1", adapter=0, progress=False, **SHORT, **more)
        assert run.policy.params_hash == train("CartPole-v1", adapter="0", progress=False, **SHORT).policy.params_hash


def test_nothing_to_reach_is_said(tmp_path):
    for more in ({}, {"directory": tmp_path / "run"}):
        with pytest.raises(UsageError, match="Pendulum-v1 declares no REWARD_THRESHOLD"):
            train("Pendulum-v1", until_solved=True, **SHORT, **more)
        with pytest.raises(UsageError, match="eval_episodes"):
            train("CartPole-v1", until_solved=True, **{**SHORT, "eval_episodes": 1}, **more)


def test_settings_have_the_types_of_python_and_numpy():
    plain = Trainer("CartPole-v1", **SHORT).config
    given = {**SHORT, "num_envs": np.int64(16), "total_timesteps": 1.024e3, "hidden": np.array([8])}
    assert Trainer("CartPole-v1", **given, norm_adv=np.bool_(plain["norm_adv"])).config == plain
    other = Trainer(
        "CartPole-v1", **{**SHORT, "hidden": (8, 4)}, learning_rate=np.float32(0.5), activation="relu"
    ).config
    assert (other["hidden"], other["learning_rate"], other["activation"]) == ([8, 4], 0.5, "relu")


def test_what_is_not_finite_ends_training():
    broken = FOLLOW.replace("select(0.0, worth, right)", "log((*s).side - 2.0)")
    with pytest.raises(TrainingError, match="broken"):
        train(Environment.from_source(broken, "broken"), **SHORT)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_is_told_how_far_it_is(monkeypatch, tmp_path):
    for more in ({}, {"directory": tmp_path / "run"}):
        monkeypatch.setattr(sys, "stderr", Terminal())
        train("CartPole-v1", **SHORT, **more)
        line = sys.stderr.getvalue()
        assert line.startswith("\rCartPole-v1 ppo:") and "100%, 1,024 steps, " in line and line.endswith("\n")
        monkeypatch.setattr(sys, "stderr", Terminal())
        train("CartPole-v1", progress=False, **{**SHORT, **{name: path / "2" for name, path in more.items()}})
        assert sys.stderr.getvalue() == ""


def interrupted(seconds):
    """A thread that interrupts this process after a while."""
    thread = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    thread.start()
    return thread


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_an_interrupt_is_heard(tmp_path):
    endless = {**SHORT, "total_timesteps": 10**12, "eval_every": 0}
    thread, started = interrupted(2.0), time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        train("CartPole-v1", **endless)
    thread.join()
    assert time.monotonic() - started < 30
    out = tmp_path / "run"
    thread = interrupted(2.0)
    with pytest.raises(KeyboardInterrupt):
        train("CartPole-v1", directory=out, **endless)
    thread.join()
    policy = Policy.load(out)
    assert policy.updates > 0
    total = f"total_timesteps={(policy.updates + 2) * 128}"
    assert command_line("train", "--resume", out, "--json", "--set", total)["updates"] == policy.updates + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_has_no_device():
    trainer = Trainer("CartPole-v1", **SHORT)
    next(trainer)

    def use(pipe):
        for call in (lambda: next(trainer), lambda: train("CartPole-v1", **SHORT)):
            try:
                call()
            except DeviceError as error:
                pipe.send(str(error))

    here, there = multiprocessing.get_context("fork").Pipe()
    child = multiprocessing.get_context("fork").Process(target=use, args=(there,))
    child.start()
    assert all(here.poll(60) and "used in its fork" in here.recv() for _ in range(2))
    child.join(60)
    assert child.exitcode == 0 and next(trainer).updates > 1


def test_python_goes_on_while_the_device_works():
    counted, done = 0, threading.Event()

    def work():
        done.seconds = time.monotonic()
        train("CartPole-v1", **{**SHORT, "num_envs": 1024, "total_timesteps": 200_000})
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        time.sleep(0.01)
        counted += 1
    thread.join()
    assert counted > 10


def test_a_notebook_shows_a_run(monkeypatch):
    shown = []
    display = pytest.importorskip("IPython.display", reason="IPython is not installed")
    monkeypatch.setattr(display, "display", shown.append)
    run = train("CartPole-v1", **SHORT)
    run.film = lambda: Policy.film(run.policy, worlds=1, seconds=0.1, size=32)
    run.display()
    assert [type(of).__name__ for of in shown] == ["HTML", "Image"] and shown[1].data[:6] == b"GIF89a"
    run.display(film=False)
    assert len(shown) == 3
