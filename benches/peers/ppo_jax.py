"""PPO on CartPole-v1 as one jitted JAX program: environments of gymnax, networks of flax, Adam of optax.

The same work as `manyworlds bench --modes train`: separate tanh networks for actor and critic, generalised advantage
estimation, clipped surrogate and clipped value loss, advantages normalised in each minibatch, the global gradient norm
limited, Adam. Everything between two calls stays on the device.
"""

import time

import distrax
import flax.linen as nn
import gymnax
import jax
import jax.numpy as jnp
import optax
from flax.linen.initializers import constant, orthogonal
from gymnax.wrappers.purerl import LogWrapper
from peer import arguments, measure

GAMMA, LAMBDA, CLIP, ENTROPY, VALUE, NORM, RATE = 0.99, 0.95, 0.2, 0.01, 0.5, 0.5, 2.5e-4


class ActorCritic(nn.Module):
    widths: tuple
    actions: int

    @nn.compact
    def __call__(self, observation):
        def network(outputs, gain):
            x = observation
            for width in self.widths:
                x = nn.tanh(nn.Dense(width, kernel_init=orthogonal(jnp.sqrt(2)), bias_init=constant(0.0))(x))
            return nn.Dense(outputs, kernel_init=orthogonal(gain), bias_init=constant(0.0))(x)

        return distrax.Categorical(logits=network(self.actions, 0.01)), network(1, 1.0)[..., 0]


def make(envs, steps, epochs, minibatches, widths, updates):
    env, parameters = gymnax.make("CartPole-v1")
    env = LogWrapper(env)
    model = ActorCritic(widths, env.action_space(parameters).n)
    optimiser = optax.chain(optax.clip_by_global_norm(NORM), optax.adam(RATE, eps=1e-5))

    def start(key):
        key, of_model, of_env = jax.random.split(key, 3)
        weights = model.init(of_model, jnp.zeros(env.observation_space(parameters).shape))
        observation, state = jax.vmap(env.reset, in_axes=(0, None))(jax.random.split(of_env, envs), parameters)
        return weights, optimiser.init(weights), state, observation, key

    def act_and_step(carry, _):
        weights, state, observation, key = carry
        key, of_action, of_env = jax.random.split(key, 3)
        policy, value = model.apply(weights, observation)
        action = policy.sample(seed=of_action)
        step = jax.vmap(env.step, in_axes=(0, 0, 0, None))
        after, state, reward, terminated, truncated, info = step(
            jax.random.split(of_env, envs), state, action, parameters
        )
        row = (observation, action, policy.log_prob(action), value, reward, terminated | truncated)
        return (weights, state, after, key), (row, info["returned_episode_returns"].mean())

    def loss(weights, observation, action, old_log_prob, old_value, advantage, target):
        policy, value = model.apply(weights, observation)
        clipped_value = old_value + jnp.clip(value - old_value, -CLIP, CLIP)
        value_loss = 0.5 * jnp.maximum((value - target) ** 2, (clipped_value - target) ** 2).mean()
        ratio = jnp.exp(policy.log_prob(action) - old_log_prob)
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        surrogate = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage).mean()
        return -surrogate + VALUE * value_loss - ENTROPY * policy.entropy().mean()

    def minibatch(carry, rows):
        weights, moments = carry
        gradient = jax.grad(loss)(weights, *rows)
        change, moments = optimiser.update(gradient, moments, weights)
        return (optax.apply_updates(weights, change), moments), None

    def update(carry, _):
        weights, moments, state, observation, key = carry
        (_, state, observation, key), (rows, returns) = jax.lax.scan(
            act_and_step, (weights, state, observation, key), None, steps
        )
        observations, actions, log_probs, values, rewards, ended = rows
        _, last = model.apply(weights, observation)

        def backwards(carry, row):
            advantage, next_value = carry
            value, reward, end = row
            delta = reward + GAMMA * next_value * (1 - end) - value
            advantage = delta + GAMMA * LAMBDA * (1 - end) * advantage
            return (advantage, value), advantage

        _, advantages = jax.lax.scan(
            backwards, (jnp.zeros_like(last), last), (values, rewards, ended.astype(jnp.float32)), reverse=True, unroll=16
        )
        batch = (observations, actions, log_probs, values, advantages, advantages + values)
        batch = jax.tree.map(lambda x: x.reshape((envs * steps,) + x.shape[2:]), batch)

        def epoch(carry, _):
            weights, moments, key = carry
            key, of_order = jax.random.split(key)
            order = jax.random.permutation(of_order, envs * steps)
            shuffled = jax.tree.map(lambda x: jnp.take(x, order, axis=0), batch)
            parts = jax.tree.map(lambda x: x.reshape((minibatches, -1) + x.shape[1:]), shuffled)
            (weights, moments), _ = jax.lax.scan(minibatch, (weights, moments), parts)
            return (weights, moments, key), None

        (weights, moments, key), _ = jax.lax.scan(epoch, (weights, moments, key), None, epochs)
        return (weights, moments, state, observation, key), returns.mean()

    return start, lambda carry: jax.lax.scan(update, carry, None, updates)


def main():
    a = arguments(__doc__, num_envs=2048, num_steps=32, epochs=4, minibatches=4, net="64,64", updates=8, prng="threefry2x32")
    jax.config.update("jax_default_prng_impl", a.prng)
    start, train = make(a.num_envs, a.num_steps, a.epochs, a.minibatches, tuple(map(int, a.net.split(","))), a.updates)
    carry = jax.jit(start)(jax.random.key(0))
    began = time.perf_counter()
    train = jax.jit(train).lower(carry).compile()
    setup_s = time.perf_counter() - began

    def work():
        nonlocal carry
        carry, returns = train(carry)
        jax.block_until_ready(returns)

    measure(
        work, a.num_envs * a.num_steps * a.updates, a.seconds, setup_s, peer="jax", mode="train", env="CartPole-v1",
        num_envs=a.num_envs, num_steps=a.num_steps, net=a.net, device=jax.devices()[0].device_kind, version=jax.__version__,
    )  # fmt: skip


main()
