// Worlds that a policy plays, and their picture.

export class Player {
  constructor(replay, play) {
    Object.assign(this, { replay, play, device: replay.device });
    for (const name of ["actions", "observations", "final_observations", "rewards", "endings", "masks", "pixels"]) {
      [this[name]] = replay.role(name);
    }
    this.begin();
  }

  /// Puts every world at the start of its first episode.
  begin() {
    const zeros = new Uint32Array(this.play.worlds);
    this.device.queue.writeBuffer(this.endings, 0, zeros);
    this.device.queue.writeBuffer(this.rewards, 0, zeros);
    this.replay.submit("begin");
    this.steps = 0;
  }

  /// Chooses an action for every world: the most likely one, or a sample.
  act(sampled) {
    this.replay.submit(sampled ? "sample" : "act");
  }

  /// Gives one world an action of the visitor's, a number.
  choose(world, action) {
    this.device.queue.writeBuffer(this.actions, 4 * world, new Uint32Array([action]));
  }

  /// One step of every world with the actions that are there. A world that had ended begins its next episode instead.
  step() {
    this.replay.submit("step");
    this.steps++;
  }

  /// One world's share of a buffer that is `[row][world]`: an ArrayBuffer of words.
  column(buffer, rows, world) {
    const pieces = Array.from({ length: rows }, (_, row) => [buffer, 4 * (row * this.play.worlds + world), 4]);
    return this.replay.read(...pieces);
  }

  /// What a world is like now: its observation, which actions are allowed, what it did last and what came of it.
  async look(world) {
    const { features, components, mask_words: masks } = this.play;
    const of = (buffer, rows) => this.column(buffer, rows, world);
    const [seen, actions, rewards, endings, mask] = await Promise.all([
      of(this.observations, features), of(this.actions, components), of(this.rewards, 1), of(this.endings, 1),
      of(this.masks, Math.max(masks, 1)),
    ]);
    const bits = new Uint32Array(mask);
    return {
      observation: new Float32Array(seen),
      action: this.play.real ? new Float32Array(actions) : new Uint32Array(actions),
      reward: new Float32Array(rewards)[0],
      terminated: (new Uint32Array(endings)[0] & 1) !== 0,
      truncated: (new Uint32Array(endings)[0] & 2) !== 0,
      allowed: masks === 0 ? null : Array.from({ length: this.play.choices }, (_, i) => (bits[i >> 5] >>> (i & 31) & 1) === 1),
    };
  }
}

/// Shows the pixels of a player on a canvas. They are read back: a canvas that the GPU draws into is not to be had wherever compute
/// shaders are, and a picture is small.
export class Screen {
  constructor(canvas, player) {
    Object.assign(this, { player, context: canvas.getContext("2d") });
    [canvas.width, canvas.height] = [player.play.width, player.play.height];
  }

  /// Draws the worlds as they are, one of them with a frame.
  async draw(world) {
    const { replay, play: { width, height, columns, tile } } = this.player;
    replay.submit("draw");
    const pixels = new Uint8ClampedArray(await replay.readRole("pixels"));
    this.context.putImageData(new ImageData(pixels, width, height), 0, 0);
    // amber and blue frames are those of episodes that ended
    this.context.strokeStyle = "#d64fd6";
    this.context.lineWidth = 2;
    this.context.strokeRect((world % columns) * tile + 1, Math.floor(world / columns) * tile + 1, tile - 3, tile - 3);
  }
}
