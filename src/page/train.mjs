// A training run: the plan of any algorithm, replayed from its seed. Nothing but metrics is read between updates.

export class Trainer {
  /// `run` is what the page knows of it beside the plan: names of metrics, how often it is evaluated, and so on.
  constructor(replay, run) {
    Object.assign(this, { replay, run, updates: 0, steps: run.first_steps, recent: [], perSubmission: 1, failed: false });
    this.queue = Promise.resolve();
    replay.submit("begin");
  }

  /// Whether there is nothing more to be done.
  get finished() {
    return this.failed || this.updates >= this.run.num_updates;
  }

  /// Does one thing after the other, so that nobody reads parameters of half a turn; nothing behind one that failed.
  after(work) {
    const turn = this.queue.then(work);
    this.queue = turn.then(() => {});
    this.queue.catch(() => { this.failed = true; });
    return turn;
  }

  /// Runs some updates, as many as take about `seconds`, at most up to the next evaluation. Gives a point for each of them, and what
  /// an evaluation behind the last one said.
  advance(seconds = 0.1) {
    return this.after(() => this.turn(seconds));
  }

  /// How many updates there were, and all parameters behind them, with padding: Float32Array.
  snapshot() {
    return this.after(async () => ({ updates: this.updates, parameters: new Float32Array(await this.replay.readRole("parameters")) }));
  }

  async turn(seconds) {
    if (this.finished) return { points: [], evaluation: null, seconds: 0 };
    const { ring, num_updates: all, eval_every: every } = this.run;
    const next = every > 0 ? Math.min(all, (Math.floor(this.updates / every) + 1) * every) : all;
    const count = Math.min(this.perSubmission, ring, next - this.updates);
    const evaluated = this.updates + count === next;
    const began = performance.now();
    for (let i = 0; i < count; i++) this.replay.submit("update");
    if (evaluated) this.replay.submit("evaluation");
    const rows = new DataView(await this.replay.readRole("metrics"));
    const outcomes = evaluated ? new Float32Array(await this.replay.readRole("outcomes")) : null;
    const took = (performance.now() - began) / 1000;
    // an evaluation takes as long as it takes
    if (!evaluated && took > 0) this.perSubmission = Math.max(1, Math.min(ring, Math.round(count * seconds / took)));
    const points = Array.from({ length: count }, () => this.point(rows, this.updates++));
    return { points, evaluation: outcomes && this.evaluation(outcomes), seconds: took };
  }

  /// What an update left behind.
  point(rows, update) {
    const { bytes, fields } = this.run.metrics;
    const at = (update % this.run.ring) * bytes;
    const value = (name) => {
      const [kind, offset] = fields[name];
      return kind === "u32" ? rows.getUint32(at + offset, true) : rows.getFloat32(at + offset, true);
    };
    if (value("fault_loop") > 0) throw new Error(`Update ${update}: a loop of the environment did not end.`);
    if (value("fault") > 0) this.unsound(`Update ${update}`, value("fault"));
    this.steps += this.run.steps_of_updates ?? value("steps");
    const [episodes, returns] = [value("episodes"), value("return_sum")];
    // the mean of the latest hundred episodes, in whole updates
    if (episodes > 0) this.recent.push([episodes, returns]);
    const sum = (column) => this.recent.reduce((total, row) => total + row[column], 0);
    while (this.recent.length > 1 && sum(0) - this.recent[0][0] >= 100) this.recent.shift();
    return { steps: this.steps, mean: this.recent.length ? sum(1) / sum(0) : null };
  }

  /// Ends the run where a number is not finite, or too large to be learned from.
  unsound(where, word) {
    throw new Error(`${where}: ${this.run.faults[word & 15] ?? "a number"} is not finite any more, and nothing can be learned from it.`);
  }

  /// Mean return of the episodes of an evaluation, of which each has (return, length, ending, fault).
  evaluation(outcomes) {
    const [episodes, where] = [this.run.eval_episodes, `The evaluation after ${this.updates} updates`];
    let sum = 0;
    for (let i = 0; i < episodes; i++) {
      const [gain, fault] = [outcomes[4 * i], outcomes[4 * i + 3]];
      if (fault < 0) throw new Error(`${where}: a loop of the environment did not end.`);
      if (fault > 0 || !Number.isFinite(gain)) this.unsound(where, fault);
      sum += gain;
    }
    return { steps: this.steps, mean: sum / episodes };
  }

  /// Copies the parameters into those of another replay, in which worlds are played.
  teach(player) {
    return this.after(() => this.copyTo(player));
  }

  copyTo(player) {
    const encoder = this.replay.device.createCommandEncoder();
    const [to] = player.role("parameters");
    const sizes = this.replay.sizes("parameters");
    let at = 0;
    this.replay.role("parameters").forEach((from, i) => {
      encoder.copyBufferToBuffer(from, 0, to, at, sizes[i]);
      at += sizes[i];
    });
    this.replay.device.queue.submit([encoder.finish()]);
  }
}
