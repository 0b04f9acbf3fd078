"""Environments: what they declare, where they come from, and texts where they cannot be used."""

import copy
import pathlib
import pickle

import gymnasium
import numpy as np
import pytest
from conftest import MASKED

import manyworlds

DRIFT = """
const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 2u);
const MAX_EPISODE_STEPS: u32 = 5u;
const REWARD_THRESHOLD: f32 = 4.0;
override speed: f32 = 0.5;
struct State { at: f32, last: u32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_range(rng, -1.0, 1.0), 0u); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).at += speed * (f32(action[0]) - 1.0);
    (*s).last = action[1];
    return Outcome(f32(action[1]), false);
}
fn env_observe(s: State) -> Observation { return Observation(s.at, f32(s.last)); }
"""


def test_what_a_built_in_one_declares():
    env = manyworlds.Environment("CartPole-v1")
    assert "CartPole-v1" in manyworlds.environments()
    assert (env.name, env.max_episode_steps, env.reward_threshold) == ("CartPole-v1", 500, 475)
    assert env.overrides["gravity"] == pytest.approx(9.8)
    assert env.action_space == gymnasium.spaces.Discrete(2)
    assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    assert repr(env).startswith("Environment('CartPole-v1', angle_limit=0.20944")
    assert manyworlds.Environment("CartPole-v1", MAX_EPISODE_STEPS=0).max_episode_steps is None


def test_bounds_of_real_actions():
    assert manyworlds.Environment("Pendulum-v1").action_space == gymnasium.spaces.Box(-2, 2, (1,), np.float32)


def test_one_from_a_text_and_from_a_file(tmp_path, worlds):
    path = tmp_path / "drift.wgsl"
    path.write_text(DRIFT)
    for env in (manyworlds.Environment.from_source(DRIFT, "drift", speed=2), manyworlds.Environment(path, speed=2)):
        assert env.name in ("drift", str(path)) and env.action_space == gymnasium.spaces.MultiDiscrete([3, 2])
        envs = worlds(env, 4, seed=1)
        begun = envs.reset()[0]
        assert envs.action_space.shape == (4, 2)
        observations, rewards, *_ = envs.step([[2, 1], [0, 1], [1, 0], [2, 0]])
        assert np.allclose(observations[:, 0] - begun[:, 0], [2, -2, 0, 2], atol=1e-6)
        assert rewards.tolist() == [1, 1, 0, 0] and observations[:, 1].tolist() == [1, 1, 0, 0]
    assert worlds(str(path), 1).env.overrides["speed"] == 0.5


def test_overrides_are_given_once_more(worlds):
    """An environment that has overrides keeps them where another is given."""
    env = manyworlds.Environment("CartPole-v1", gravity=3.7)
    envs = worlds(env, 2, force=20)
    assert envs.env.overrides["gravity"] == pytest.approx(3.7) and envs.env.overrides["force"] == 20
    assert worlds(env, 2).env is env


def test_constants_may_be_called_as_arguments_are(worlds):
    text = DRIFT.replace("override speed: f32 = 0.5;", "override speed: f32 = 0.5; override name: f32 = 1.0;")
    text = text.replace("speed *", "speed * name *")
    env = manyworlds.Environment.from_source(text, "drift")
    changed = worlds(env, 1, name=3)
    assert changed.env.overrides["name"] == 3 and pickle.loads(pickle.dumps(changed.env)).overrides["name"] == 3


def test_copies_and_pickles_are_the_same_environment(worlds):
    env = manyworlds.Environment.from_source(DRIFT, "drift", speed=2)
    for again in (copy.copy(env), copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert (again.name, again.overrides) == (env.name, env.overrides)
        assert np.array_equal(worlds(again, 3, seed=1).reset()[0], worlds(env, 3, seed=1).reset()[0])
    cart = pickle.loads(pickle.dumps(manyworlds.Environment("CartPole-v1", gravity=1)))
    assert (cart.name, cart.max_episode_steps, cart.overrides["gravity"]) == ("CartPole-v1", 500, 1)


def test_action_masks_are_in_infos(worlds):
    """An allowed action is 1 in int8, which is what `Discrete.sample` takes."""
    env = manyworlds.Environment.from_source(MASKED, "masked")
    envs = worlds(env, 2, seed=1)
    _, infos = envs.reset()
    assert infos["action_mask"].dtype == np.int8 and infos["action_mask"].tolist() == [[1, 1, 1]] * 2
    assert infos["_action_mask"].tolist() == [True, True]
    infos = envs.step([0, 2])[4]
    assert infos["action_mask"].tolist() == [[0, 1, 1], [1, 1, 0]]
    for row in infos["action_mask"]:
        assert row[envs.single_action_space.sample(row)] == 1
    one = manyworlds.Env(env)
    assert one.reset()[1]["action_mask"].tolist() == [1, 1, 1]
    assert one.step(0)[4]["action_mask"].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "given, text",
    [
        ("CartPole", "did you mean 'CartPole-v1'"),
        ("nope.wgsl", "nope.wgsl"),
        ("", "there is no such environment"),
        (None, "environment None: it is a name, or the path"),
        (3, "environment 3: it is a name, or the path"),
        (b"CartPole-v1", "as text"),
        (pathlib.Path("/tmp"), "directory"),
        ("CartPole-v1\0", "CartPole-v1"),
        ("\ud800", r"environment: .*ud800.* surrogate pair"),
    ],
)
def test_environments_that_are_none(given, text):
    with pytest.raises(manyworlds.Error, match=text):
        manyworlds.Environment(given)


@pytest.mark.parametrize(
    "overrides, text",
    [
        ({"gravty": 1}, "did you mean 'gravity'"),
        ({"gravity": "x"}, "gravity='x'"),
        ({"gravity": None}, "gravity=None"),
        ({"gravity": float("nan")}, "finite"),
        ({"gravity": 1e300}, "gravity"),
        ({"gravity": 10**400}, "gravity=1.*: it is too large; give a number that float32 can hold"),
        ({"gravity": 10**5000}, "gravity=.*: it is too large"),
        ({"\ud800": 1}, "surrogate"),
        ({"autoreset_mode": "NextStep"}, "autoreset_mode='NextStep': no argument has this name"),
        ({"max_episode_steps": 7}, "did you mean 'MAX_EPISODE_STEPS'"),
    ],
)
def test_overrides_that_are_none(overrides, text):
    with pytest.raises(manyworlds.Error, match=text):
        manyworlds.VectorEnv("CartPole-v1", 2, **overrides)


def test_texts_name_the_place():
    with pytest.raises(manyworlds.Error, match=r"mine\.wgsl.*ACTION_COUNT"):
        manyworlds.Environment.from_source("const OBSERVATION_DIM: u32 = 1u;", "mine")
    with pytest.raises(manyworlds.Error, match="expected two strings"):
        manyworlds.Environment.from_source(3)
    for wrong in (("\ud800",), (DRIFT, "\ud800")):
        with pytest.raises(manyworlds.errors.UsageError, match="surrogate pair"):
            manyworlds.Environment.from_source(*wrong)
    misspelt = DRIFT + "fn env_action_maks(s: State) -> ActionMask { return ActionMask(true, true, true, true, true); }"
    with pytest.raises(manyworlds.Error, match="env_action_mask"):
        manyworlds.Environment.from_source(misspelt, "mine")


def test_errors_are_also_those_of_python():
    """`except ValueError` and `except OSError` catch what they are meant to."""
    with pytest.raises(ValueError):
        manyworlds.Environment("CartPole")
    with pytest.raises(OSError):
        manyworlds.Environment("nope.wgsl")
    with pytest.raises(RuntimeError):
        manyworlds.VectorEnv("CartPole-v1", adapter="of no such name")


def test_import_of_the_package_does_not_import_sb3(python):
    program = "import sys, manyworlds; print('stable_baselines3' in sys.modules, 'torch' in sys.modules)"
    assert python(program).split() == ["False", "False"]


def test_without_sb3_the_text_says_what_to_install(python):
    program = """
import sys
sys.modules["stable_baselines3"] = None
import manyworlds
try:
    manyworlds.Sb3VecEnv
except ImportError as error:
    print(error)
"""
    assert "pip install 'manyworlds[sb3]'" in python(program)
