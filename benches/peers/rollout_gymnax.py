"""Rollouts of gymnax on JAX: tanh networks for actor and critic act and value, and all that PPO needs is stored."""

import time
from importlib.metadata import version

import distrax
import flax.linen as nn
import gymnax
import jax
import jax.numpy as jnp
from peer import arguments, measure


class ActorCritic(nn.Module):
    widths: tuple
    actions: int

    @nn.compact
    def __call__(self, observation):
        def network(outputs):
            x = observation
            for width in self.widths:
                x = nn.tanh(nn.Dense(width)(x))
            return nn.Dense(outputs)(x)

        return distrax.Categorical(logits=network(self.actions)), network(1)[..., 0]


def main():
    a = arguments(__doc__, env="CartPole-v1", num_envs=4096, num_steps=128, net="64,64", prng="threefry2x32")
    jax.config.update("jax_default_prng_impl", a.prng)
    env, parameters = gymnax.make(a.env)
    model = ActorCritic(tuple(map(int, a.net.split(","))), env.action_space(parameters).n)
    weights = model.init(jax.random.key(1), jnp.zeros(env.observation_space(parameters).shape))
    step = jax.vmap(env.step, in_axes=(0, 0, 0, None))

    def tick(carry, _):
        key, state, observation = carry
        key, of_action, of_step = jax.random.split(key, 3)
        policy, value = model.apply(weights, observation)
        action = policy.sample(seed=of_action)
        after, state, reward, terminated, truncated, _ = step(
            jax.random.split(of_step, a.num_envs), state, action, parameters
        )
        return (key, state, after), (observation, action, policy.log_prob(action), value, reward, terminated | truncated)

    def run(key, state, observation):
        return jax.lax.scan(tick, (key, state, observation), None, a.num_steps)

    key = jax.random.key(0)
    observation, state = jax.vmap(env.reset, in_axes=(0, None))(jax.random.split(key, a.num_envs), parameters)
    began = time.perf_counter()
    compiled = jax.jit(run).lower(key, state, observation).compile()
    setup_s = time.perf_counter() - began
    measure(
        lambda: jax.block_until_ready(compiled(key, state, observation)), a.num_envs * a.num_steps, a.seconds, setup_s,
        peer="jax", mode="rollout", env=a.env, num_envs=a.num_envs, num_steps=a.num_steps, net=a.net,
        device=jax.devices()[0].device_kind, version=f"gymnax {version('gymnax')}, jax {jax.__version__}",
    )  # fmt: skip


main()
