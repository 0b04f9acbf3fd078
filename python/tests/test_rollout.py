"""Rollouts: their arrays, their advantages, and what a fork of the process may not do."""

import multiprocessing
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from manyworlds import Environment, Policy, Rollout
from manyworlds.errors import DeviceError, UsageError

EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "ppo_torch.py"

# terminates at the third step of every second episode of a world, and is truncated at the fourth of the others
ENDINGS = """
const OBSERVATION_DIM: u32 = 2;
const MAX_EPISODE_STEPS: u32 = 4;
const ACTION_DIM: u32 = 2;
const ACTION_LOW: f32 = -1.0;
const ACTION_HIGH: f32 = 1.0;
struct State { kind: f32, t: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng), 0.0); }
fn env_step(state: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*state).t += 1.0;
    return Outcome((*state).kind + (*state).t, (*state).kind < 0.5 && (*state).t >= 3.0);
}
fn env_observe(state: State) -> Observation { return Observation(state.kind, state.t); }
"""


def gae(batch, policy, gamma, gae_lambda):
    """Generalised advantage estimation, newest step first, in float64: src/reference/gae.rs."""
    values, rewards = batch.values.astype(np.float64), batch.rewards.astype(np.float64)
    final = np.zeros_like(values)
    final[np.nonzero(batch.truncations & ~batch.terminations)] = policy.values(batch.final_observations)
    following = np.concatenate([values[1:], policy.values(batch.last_observations)[None]])
    following = np.where(batch.terminations, 0, np.where(batch.truncations, final, following))
    delta = rewards + gamma * following - values
    advantages, carried = np.zeros_like(values), np.zeros(values.shape[1])
    for t in reversed(range(len(values))):
        carried = delta[t] + gamma * gae_lambda * np.where(batch.terminations[t] | batch.truncations[t], 0, carried)
        advantages[t] = carried
    return advantages


@pytest.mark.parametrize(("num_envs", "num_steps"), [(5, 37), (1, 300)])
def test_advantages_are_those_of_the_definition(num_envs, num_steps):
    policy = Policy.untrained(Environment.from_source(ENDINGS, "endings"), hidden=[8], seed=3)
    rollout = Rollout(policy, num_envs, num_steps, seed=2)
    for gamma, gae_lambda in [(0.99, 0.95), (0.5, 1.0), (1.0, 0.0)]:
        batch = rollout.collect(gamma, gae_lambda)
        truncated = batch.truncations & ~batch.terminations
        assert batch.terminations.any() and truncated.any() and len(batch.final_observations) == truncated.sum()
        np.testing.assert_array_equal(batch.final_observations[:, 1], 4)
        # the kind of an episode stays the same until its end
        np.testing.assert_array_equal(batch.final_observations[:, 0], batch.observations[..., 0][truncated])
        expected = gae(batch, policy, gamma, gae_lambda)
        np.testing.assert_allclose(batch.advantages, expected, rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(batch.returns, batch.advantages + batch.values, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(batch.values, policy.values(batch.observations), rtol=1e-4, atol=1e-5)
        rewards = batch.observations.sum(-1) + 1
        np.testing.assert_allclose(batch.rewards, rewards, rtol=1e-6)


def test_arrays_have_their_shapes():
    batch = Rollout("CartPole-v1", num_envs=6, num_steps=9).collect()
    assert batch.observations.shape == (9, 6, 4) and batch.observations.dtype == np.float32
    assert batch.actions.shape == (9, 6) and batch.actions.dtype == np.int64 and set(np.unique(batch.actions)) == {0, 1}
    for name in ("log_probs", "rewards", "values", "advantages", "returns"):
        array = getattr(batch, name)
        assert array.shape == (9, 6) and array.dtype == np.float32 and np.isfinite(array).all(), name
    assert batch.terminations.dtype == batch.truncations.dtype == bool and batch.action_masks is None
    assert batch.last_observations.shape == (6, 4) and batch.final_observations.shape == (0, 4)
    assert repr(batch) == "Batch(steps=9, worlds=6, features=4)"
    # worlds go on: what is behind the last step is before the next one
    rollout = Rollout("Pendulum-v1", num_envs=3, num_steps=5, seed=4)
    first, second = rollout.collect(), rollout.collect()
    np.testing.assert_array_equal(first.last_observations, second.observations[0])
    assert first.actions.shape == (5, 3, 1) and first.actions.dtype == np.float32


def test_log_probs_are_those_of_the_policy():
    policy = Policy.untrained("CartPole-v1", hidden=[8], seed=6)
    batch = Rollout(policy, 8, 16).collect()
    tensors = policy.tensors()
    hidden = np.tanh(batch.observations @ tensors["actor.0.weight"].T + tensors["actor.0.bias"])
    logits = hidden @ tensors["actor.1.weight"].T + tensors["actor.1.bias"]
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = np.take_along_axis(log_probs, batch.actions[..., None], -1)[..., 0]
    np.testing.assert_allclose(batch.log_probs, expected, rtol=1e-4, atol=1e-5)


def test_normalised_observations_reach_the_networks():
    policy = Policy.untrained("Pendulum-v1", hidden=[8], seed=6, norm_obs=True)
    tensors = policy.tensors()
    tensors["normaliser.observation"][:, 0], tensors["normaliser.observation"][:, 1] = 0.3, [4, 0.5, 20]
    policy.set_parameters(np.concatenate([tensor.reshape(-1) for tensor in tensors.values()]))
    batch = Rollout(policy, 8, 16).collect()
    np.testing.assert_allclose(batch.values, policy.values(batch.observations), rtol=1e-4, atol=1e-5)


def test_masks_are_those_of_the_environment():
    from test_policy import MASKED

    policy = Policy.untrained(Environment.from_source(MASKED, "masked"), hidden=[8])
    batch = Rollout(policy, 4, 10).collect()
    np.testing.assert_array_equal(batch.action_masks, np.broadcast_to([True, False, True, False], (10, 4, 4)))
    assert set(np.unique(batch.actions)) <= {0, 2}


def test_other_parameters_take_over():
    policy, other = (Policy.untrained("CartPole-v1", hidden=[8], seed=seed) for seed in (1, 2))
    rollout = Rollout(policy, 4, 8)
    rollout.collect()
    rollout.set_policy(other)
    batch = rollout.collect()
    np.testing.assert_allclose(batch.values, other.values(batch.observations), rtol=1e-4, atol=1e-5)
    rollout.set_parameters(policy.parameters)
    batch = rollout.collect()
    np.testing.assert_allclose(batch.values, policy.values(batch.observations), rtol=1e-4, atol=1e-5)
    for wrong, words in [
        (lambda: rollout.set_policy(Policy.untrained("CartPole-v1", hidden=[9])), "make another Rollout"),
        (lambda: rollout.set_policy(policy.parameters), "is not a Policy"),
        (lambda: rollout.set_parameters(policy.parameters[1:]), "the policy has"),
        (lambda: rollout.collect(gamma=1.5), "'gamma': 1.5 is not allowed"),
        (lambda: rollout.collect(gae_lambda=float("nan")), "gae_lambda"),
        (lambda: rollout.collect(gamma="high"), "gamma: 'high' is not a number"),
    ]:
        with pytest.raises(UsageError, match=words):
            wrong()


@pytest.mark.parametrize(
    "wrong", [{"gamma": 2}, {"gamma": -0.1}, {"gamma": float("nan")}, {"gamma": 10**400}, {"gae_lambda": 1.5}]
)
def test_a_refused_rollout_moves_no_world(wrong):
    policy = Policy.untrained("CartPole-v1", hidden=[8])
    rollout, fresh = (Rollout(policy, 4, 20, seed=3) for _ in range(2))
    with pytest.raises(UsageError, match=next(iter(wrong))):
        rollout.collect(**wrong)
    for got, expected in zip(rollout.collect(), fresh.collect(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_policy_plays_in_another_environment():
    policy = Policy.untrained("CartPole-v1", hidden=[8])
    here, there = (Rollout(policy, 4, 20, env=env) for env in (None, Environment("CartPole-v1", gravity=30.0)))
    assert there.env.overrides["gravity"] == 30
    assert (here.collect().observations != there.collect().observations).any()
    with pytest.raises(UsageError, match="parameters for Pendulum-v1"):
        Rollout(policy, 4, 20, env="Pendulum-v1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("CartPole-v1", 0, 8), "num_envs"),
        (("CartPole-v1", 8, 0), "num_steps"),
        (("CartPole-v1", -1, 8), "num_envs: -1 is not allowed"),
        (("CartPole-v1", 2.5, 8), "num_envs: 2.5 is not allowed; it must be a whole number"),
        (("CartPole-v1", 2**32 - 1, 1), "num_envs"),
        (("CartPole-v1", 2**31, 2**31), "too many samples"),
        (("NoSuchEnv", 2, 2), "NoSuchEnv"),
    ],
)
def test_wrong_sizes_are_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        Rollout(*arguments)
    with pytest.raises(UsageError, match="sac learns from replay"):
        Rollout(Policy.untrained("Pendulum-v1", "sac"), 2, 2)


def test_an_adapter_has_an_index():
    policy = Policy.untrained("CartPole-v1", hidden=[4])
    first = Rollout(policy, 2, 3, adapter=0).collect()
    np.testing.assert_array_equal(first.observations, Rollout(policy, 2, 3, adapter="0").collect().observations)
    assert policy.evaluate(episodes=2, adapter=np.int64(0)) == policy.evaluate(episodes=2, adapter="0")
    for wrong in (-1, 1.0, None, True, "\ud800"):
        with pytest.raises(UsageError, match="adapter: .* is not allowed; it is 'auto', an index"):
            Rollout(policy, 2, 3, adapter=wrong)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_has_no_device():
    rollout = Rollout("CartPole-v1", 2, 2)
    rollout.collect()

    def use(pipe):
        try:
            rollout.collect()
        except DeviceError as error:
            pipe.send(str(error))

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=use, args=(there,))
    child.start()
    assert here.poll(60) and "used in its fork" in here.recv()
    child.join(60)
    assert child.exitcode == 0
    rollout.collect()


@pytest.mark.slow
def test_the_example_learns_cartpole():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=True)
    mean = float(re.search(r"([\d.]+) ±", done.stdout.splitlines()[-1])[1])
    assert mean >= 475, done.stdout
