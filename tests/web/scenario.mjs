// What the tests ask of a page's plans, in Node and in a browser alike.

/// Plays some steps by most likely actions: what one world saw, did and got at each of them.
export async function trace(player, world, steps) {
  player.begin();
  const told = [];
  for (let t = 0; t < steps; t++) {
    const { features, components, real } = player.play;
    const seen = new Float32Array(await player.column(player.observations, features, world));
    player.act(false);
    player.step();
    const action = await player.column(player.actions, components, world);
    const after = new Float32Array(await player.column(player.final_observations, features, world));
    const { reward, terminated, truncated } = await player.look(world);
    told.push({
      seen: Array.from(seen),
      action: Array.from(real ? new Float32Array(action) : new Uint32Array(action)),
      observation: Array.from(after),
      reward,
      terminated,
      truncated,
    });
  }
  return told;
}

/// Makes some updates: the parameters behind them, with padding, the points of the curve, and the policy as a file.
export async function learn(trainer, updates, checkpoint, tensors) {
  const points = [];
  while (trainer.updates < updates) {
    // one at a time, as the page begins
    trainer.perSubmission = Math.min(trainer.perSubmission, updates - trainer.updates);
    points.push(...(await trainer.advance()).points);
  }
  const { parameters } = await trainer.snapshot();
  const file = checkpoint(trainer.run.metadata, tensors, parameters, trainer.updates);
  return { parameters: Array.from(parameters), points, file: Array.from(file) };
}
