"""Policies: acting without a device, their files, their modules of PyTorch."""

import copy
import importlib.util
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from manyworlds import Environment, Policy, train
from manyworlds.errors import FileError, UsageError

ROOT = pathlib.Path(__file__).parents[2]

MASKED = """
const OBSERVATION_DIM: u32 = 3;
const MAX_EPISODE_STEPS: u32 = 10;
const ACTION_COUNT: u32 = 4;
struct State { x: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng)); }
fn env_step(state: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome(f32(action), false);
}
fn env_observe(state: State) -> Observation { return Observation(state.x, -state.x, 1.0); }
fn env_action_mask(state: State) -> ActionMask {
    var mask: ActionMask;
    mask[0] = true; mask[2] = true;
    return mask;
}
"""


def by_checkpoint(path):
    """The policy of a checkpoint as `docs/policy.py` has it, which the library's own tests hold to what it does."""
    spec = importlib.util.spec_from_file_location("by_checkpoint", ROOT / "docs" / "policy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded = module.load(path)
    return lambda observation, allowed=None: module.act(*loaded, observation, allowed)


@pytest.mark.parametrize(
    ("env", "algo", "settings"),
    [
        ("CartPole-v1", "ppo", {}),
        ("Pendulum-v1", "ppo", {"norm_obs": True}),
        ("Pendulum-v1", "sac", {"hidden": [16, 8]}),
        ("Pendulum-v1", "ppo", {"squash": True, "activation": "relu"}),
        ("CartPole-v1", "cem", {"hidden": [8]}),
        ("MountainCarContinuous-v0", "td3", {"hidden": [8, 8]}),
    ],
)
def test_actions_are_those_of_the_checkpoint(tmp_path, env, algo, settings):
    policy = Policy.untrained(env, algo, seed=3, **settings)
    if settings.get("norm_obs"):
        tensors = policy.tensors()
        tensors["normaliser.observation"][:, 0] = [0.1, -0.2, 0.3]
        tensors["normaliser.observation"][:, 1] = [2.0, 30.0, 0.5]
        policy.set_parameters(np.concatenate([tensor.reshape(-1) for tensor in tensors.values()]))
    path = tmp_path / "policy.safetensors"
    policy.save(path)
    act = by_checkpoint(path)
    observations = np.random.default_rng(1).normal(size=(2, 50, policy.env.observation_space.shape[0]))
    actions = policy(observations)
    expected = np.array([[act(row) for row in rows] for rows in observations])
    if actions.dtype == np.int64:
        np.testing.assert_array_equal(actions, expected[..., 0])
    else:
        assert actions.dtype == np.float32 and actions.shape == (2, 50, *policy.env.action_space.shape)
        np.testing.assert_allclose(actions, expected, rtol=1e-6, atol=1e-7)
    space = policy.env.action_space
    one = policy(observations[1, 2])
    np.testing.assert_array_equal(one, actions[1, 2])
    assert space.contains(one), one
    loaded = Policy.load(path)
    assert loaded.params_hash == policy.params_hash and loaded.config == policy.config
    np.testing.assert_array_equal(loaded(observations), actions)
    assert policy(np.zeros((0, observations.shape[-1]))).shape[0] == 0


def test_what_a_policy_says_of_itself():
    policy = Policy.untrained("CartPole-v1", seed=7, hidden=[5, 3], learning_rate=1e-3)
    assert policy.algo == "ppo" and policy.updates == 0 and policy.evaluation is None
    assert repr(policy) == "Policy('CartPole-v1', 'ppo', updates=0)"
    config = policy.config
    assert (config["seed"], config["hidden"], config["learning_rate"]) == (7, [5, 3], 1e-3)
    assert config["norm_adv"] is True or config["norm_adv"] is False
    tensors = policy.tensors()
    assert list(tensors)[:2] == ["actor.0.weight", "actor.0.bias"] and tensors["actor.1.weight"].shape == (3, 5)
    parameters = policy.parameters
    assert parameters.dtype == np.float32 and sum(tensor.size for tensor in tensors.values()) == parameters.size
    before = policy.params_hash
    policy.set_parameters(parameters * 2)
    np.testing.assert_array_equal(policy.parameters, parameters * 2)
    assert policy.params_hash != before
    assert policy.env.name == "CartPole-v1" and isinstance(policy.env, Environment)


@pytest.fixture(scope="module")
def trained():
    """The checkpoint, in memory, of a policy that was evaluated."""
    from test_training import SHORT

    policy = train("CartPole-v1", progress=False, **SHORT).policy
    assert policy.evaluation is not None and copy.deepcopy(policy).evaluation == policy.evaluation
    return pickle.dumps(policy)


def test_other_parameters_were_not_evaluated(trained):
    """What is told of an evaluation is told of the parameters that were evaluated."""
    policy = pickle.loads(trained)
    with pytest.raises(UsageError):
        policy.set_parameters(policy.parameters[1:])
    assert policy.evaluation is not None
    policy.set_parameters(policy.parameters * 2)
    assert policy.evaluation is None and copy.deepcopy(policy).evaluation is None
    assert "evaluation" not in repr(policy)


def test_other_tensors_were_not_evaluated(trained):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    policy = pickle.loads(trained)
    module = policy.to_torch()
    with torch.no_grad():
        next(module.parameters()).mul_(2)
    policy.load_torch(module)
    assert policy.evaluation is None and pickle.loads(pickle.dumps(policy)).evaluation is None


def test_policies_go_to_other_processes():
    policy = Policy.untrained("CartPole-v1", seed=7, hidden=[5, 3])
    for other in (pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy)):
        assert other.params_hash == policy.params_hash and other.config == policy.config
    with pytest.raises(UsageError, match="in memory"):
        Policy._from_bytes(b"nothing of ours")


def test_values_are_those_of_the_critic():
    policy = Policy.untrained("CartPole-v1", seed=2, hidden=[6])
    tensors = policy.tensors()
    observations = np.random.default_rng(2).normal(size=(7, 4)).astype(np.float32)
    hidden = np.tanh(observations @ tensors["critic.0.weight"].T + tensors["critic.0.bias"])
    expected = hidden @ tensors["critic.1.weight"].T + tensors["critic.1.bias"]
    np.testing.assert_allclose(policy.values(observations), expected[:, 0], rtol=1e-4, atol=1e-6)
    assert policy.values(observations[0]).shape == ()
    with pytest.raises(UsageError, match="cem has no critic"):
        Policy.untrained("CartPole-v1", "cem").values(observations)
    with pytest.raises(UsageError, match="no critic"):
        Policy.untrained("Pendulum-v1", "sac").values(np.zeros(3))


def test_masks_forbid_actions():
    env = Environment.from_source(MASKED, "masked")
    policy = Policy.untrained(env, hidden=[8])
    observations = np.random.default_rng(3).normal(size=(40, 3))
    with pytest.raises(UsageError, match="says which actions are allowed"):
        policy(observations)
    mask = np.zeros((40, 4), np.int8)
    mask[:, 3] = 1
    assert (policy(observations, mask) == 3).all()
    free = policy(observations, np.ones((40, 4), bool))
    assert ((0 <= free) & (free < 4)).all()
    for wrong, words in [
        (mask[:, :3], r"int8 \[40, 3\]; give a flag for each of 4 actions"),
        (mask.astype(float), "float64"),
        (mask * 0, "no action of choice 0 is allowed in observation 0"),
    ]:
        with pytest.raises(UsageError, match=words):
            policy(observations, wrong)
    with pytest.raises(UsageError, match="are real numbers"):
        Policy.untrained("Pendulum-v1")(np.zeros(3), [True])
    # where the environment has none, a caller may still have one
    cartpole = Policy.untrained("CartPole-v1")
    assert (cartpole(np.zeros((5, 4)), np.tile([False, True], (5, 1))) == 1).all()


@pytest.mark.parametrize(
    ("observations", "words"),
    [
        (np.zeros(3), r"their shape is \[3\]; CartPole-v1 observes 4 numbers"),
        (1.0, r"their shape is \[\]"),
        (np.zeros((4, 2)), r"their shape is \[4, 2\]"),
        ([["a", "b", "c", "d"]], "holds no real numbers"),
        ([None, 1, 2, 3], "dtype object"),
        ([[1, 2, 3, 4], [1, 2]], "rows are of one length"),
        (np.zeros(4, complex), "complex128"),
        ([0, np.nan, 0, 0], r"number \[1\] is nan"),
        ([[0, 0, 0, 0], [0, 0, 0, np.inf]], r"number \[1, 3\] is inf"),
        ([0, 0, 0, 1e39], r"number \[3\] is 1e\+39"),
    ],
)
def test_wrong_observations_are_refused(observations, words):
    policy = Policy.untrained("CartPole-v1", hidden=[4])
    for call in (policy, policy.values):
        with pytest.raises(UsageError, match=words):
            call(observations)


def test_wrong_arguments_are_refused(tmp_path):
    policy = Policy.untrained("CartPole-v1", hidden=[4])
    parameters = policy.parameters
    for wrong, words in [
        (parameters[1:], "the policy has"),
        (np.where(np.arange(parameters.size) == 3, np.nan, parameters), "number 3 is NaN"),
        (["a"], "no real numbers"),
        (np.full(parameters.size, 1e300), "number 0 is inf"),
    ]:
        with pytest.raises(UsageError, match=words):
            policy.set_parameters(wrong)
    np.testing.assert_array_equal(policy.parameters, parameters)
    with pytest.raises(UsageError, match="no-such': it is missing"):
        Policy.load(tmp_path / "no-such")
    (tmp_path / "bad").write_bytes(b"nothing of ours")
    with pytest.raises(UsageError, match="bad"):
        Policy.load(tmp_path / "bad")
    with pytest.raises(FileError, match="folder"):
        policy.save(tmp_path / "no" / "folder" / "policy")
    for call, words in [
        (lambda: Policy.load(3), "path: 3 is not a path"),
        (lambda: Policy.untrained("CartPole-v1", seed=-1), "seed: -1 is not allowed"),
        (lambda: Policy.untrained("CartPole-v1", 3), "algo: 3 is not a string"),
        (lambda: Policy.untrained("CartPole-v1", "dqn"), "no such algorithm 'dqn'"),
        (lambda: Policy.untrained("CartPole"), "CartPole-v1"),
        (lambda: policy.evaluate(episodes=0), "episodes: 0 is not allowed"),
        (lambda: policy.evaluate(episodes=2.5), "episodes: 2.5 is not allowed; it must be a whole number"),
        (lambda: policy.evaluate(adapter="no such device"), "no such device"),
        (lambda: policy.evaluate(adapter=99), "no adapter matches"),
        (lambda: policy.evaluate(adapter=-1), "adapter: -1 is not allowed"),
        (lambda: policy.film(adapter=None), "adapter: None is not allowed"),
        (lambda: Policy.load("\ud800"), "path: .* is not a path"),
    ]:
        with pytest.raises(Exception, match=words) as raised:
            call()
        assert type(raised.value).__module__ == "manyworlds.errors", raised.value


def test_evaluations_are_those_of_the_command_line(tmp_path):
    import json

    policy = Policy.untrained("CartPole-v1", hidden=[8], seed=4)
    returns = policy.evaluate(episodes=50, seed=9)
    path = tmp_path / "policy"
    policy.save(path)
    command = [sys.executable, "-m", "manyworlds", "eval", str(path), "--episodes", "50", "--seed", "9", "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    for name in ("mean", "std", "min", "max", "episodes", "mean_length", "terminated", "truncated", "median"):
        assert getattr(returns, name) == told[name], name
    assert returns == policy.evaluate(episodes=50, seed=9) != policy.evaluate(episodes=50, seed=9, sampled=True)
    assert returns.passes(0) and not returns.passes(500)


def test_a_film_is_a_gif(tmp_path):
    policy = Policy.untrained("CartPole-v1", hidden=[4])
    gif = policy.film(tmp_path / "film.gif", worlds=1, seconds=0.2, size=64, adapter=0)
    assert gif[:6] == b"GIF89a" and (tmp_path / "film.gif").read_bytes() == gif
    with pytest.raises(UsageError, match="seconds"):
        Policy.untrained("CartPole-v1", hidden=[4]).film(seconds=-1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "algo", "settings"),
    [
        ("CartPole-v1", "ppo", {}),
        ("Pendulum-v1", "a2c", {"norm_obs": True, "use_sde": False}),
        ("Pendulum-v1", "sac", {"hidden": [16, 8]}),
        ("Pendulum-v1", "ppo", {"squash": True}),
        ("CartPole-v1", "es", {"hidden": [8]}),
    ],
)
def test_modules_are_the_policy(env, algo, settings):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    policy = Policy.untrained(env, algo, seed=5, **settings)
    module = policy.to_torch()
    observations = (
        np.random.default_rng(5).normal(size=(3, 20, policy.env.observation_space.shape[0])).astype(np.float32)
    )
    given = torch.from_numpy(observations)
    with torch.no_grad():
        np.testing.assert_allclose(module(given).numpy(), policy(observations), rtol=1e-4, atol=1e-5)
        if module.critic is not None:
            np.testing.assert_allclose(module.values(given).numpy(), policy.values(observations), rtol=1e-4, atol=1e-5)
        for parameter in module.parameters():
            parameter.mul_(1.5)
        before = policy.params_hash
        policy.load_torch(module)
        assert policy.params_hash != before
        np.testing.assert_allclose(module(given).numpy(), policy(observations), rtol=1e-3, atol=1e-4)
        if module.head[0] == "squash" or module.log_std is None and env == "Pendulum-v1":
            with pytest.raises(UsageError, match="distribution"):
                module.distribution(given)
        elif algo != "es":
            drawn = module.distribution(given).sample()
            assert module.distribution(given).log_prob(drawn).shape == (3, 20)
    other = Policy.untrained(env, algo, hidden=[3]).to_torch()
    with pytest.raises(UsageError, match="and the policy has"):
        policy.load_torch(other)
    with torch.no_grad():
        next(module.parameters()).fill_(float("nan"))
    with pytest.raises(UsageError, match="is NaN"):
        policy.load_torch(module)
