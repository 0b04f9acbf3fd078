"""Environment steps of gymnax on JAX with random actions: nothing is kept but a sum, so that nothing is optimised away."""

import time
from importlib.metadata import version

import gymnax
import jax
from peer import arguments, measure


def main():
    a = arguments(__doc__, env="CartPole-v1", num_envs=65536, num_steps=64, prng="threefry2x32")
    jax.config.update("jax_default_prng_impl", a.prng)
    env, parameters = gymnax.make(a.env)
    step = jax.vmap(env.step, in_axes=(0, 0, 0, None))
    act = jax.vmap(env.action_space(parameters).sample)

    def tick(carry, _):
        key, state, total = carry
        key, of_step, of_action = jax.random.split(key, 3)
        actions = act(jax.random.split(of_action, a.num_envs))
        observation, state, reward, *_ = step(jax.random.split(of_step, a.num_envs), state, actions, parameters)
        return (key, state, total + observation.sum() + reward.sum()), None

    def run(key, state):
        return jax.lax.scan(tick, (key, state, 0.0), None, a.num_steps)[0]

    key = jax.random.key(0)
    _, state = jax.vmap(env.reset, in_axes=(0, None))(jax.random.split(key, a.num_envs), parameters)
    began = time.perf_counter()
    compiled = jax.jit(run).lower(key, state).compile()
    setup_s = time.perf_counter() - began
    measure(
        lambda: jax.block_until_ready(compiled(key, state)), a.num_envs * a.num_steps, a.seconds, setup_s, peer="jax",
        mode="step", env=a.env, num_envs=a.num_envs, num_steps=a.num_steps, device=jax.devices()[0].device_kind,
        version=f"gymnax {version('gymnax')}, jax {jax.__version__}",
    )  # fmt: skip


main()
