// Training on the page: a button, the curve, and the file.

import { checkpoint } from "./checkpoint.mjs";
import { drawCurve, short } from "./chart.mjs";
import { engineering } from "./measure.mjs";
import { Replay } from "./replay.mjs";
import { at, describe, environment, number, policy, tell, train } from "./say.mjs";
import { Trainer } from "./train.mjs";

export class Training {
  constructor(device, stage) {
    Object.assign(this, { device, stage, points: [], evaluations: [], wanted: false, going: Promise.resolve(), goes: false });
    at("training").hidden = false;
    at("algo").textContent = `${train.algo}, seed ${train.seed}, ${short(train.total_timesteps)} steps`;
    at("train").onclick = () => this.toggle();
    at("download").onclick = () => this.download().catch((error) => tell(`The policy cannot be saved. ${error.message}`, true));
    this.show();
  }

  /// Makes the trainer, once.
  prepare() {
    const told = (done, all) => { at("progress").textContent = `Compiling kernels: ${done} of ${all}`; };
    this.ready ??= Replay.make(this.device, train.plan, told).then((replay) => { this.trainer = new Trainer(replay, train); });
    return this.ready;
  }

  /// Begins, or ends behind what is under way. Whoever changes their mind before that goes on.
  toggle() {
    this.wanted = !this.wanted;
    at("train").textContent = this.wanted ? "Pause" : "Train";
    if (this.wanted && !this.goes) this.going = this.go();
  }

  /// Ends, and waits until nothing of it runs any more.
  async pause() {
    if (this.wanted) this.toggle();
    await this.going;
  }

  async go() {
    this.goes = true;
    try {
      await this.prepare();
      let shown = 0;
      while (this.wanted && !this.trainer.finished) {
        await this.advance();
        if (performance.now() - shown > 250) {
          shown = performance.now();
          this.show();
          await this.teach();
        }
      }
      this.show();
      await this.teach();
    } catch (error) {
      tell(`Training has ended. ${error.message}`, true);
    }
    this.goes = false;
    if (this.wanted) this.toggle();
    at("train").disabled = !this.trainer || this.trainer.finished;
    at("download").disabled = !this.trainer || this.trainer.failed || this.trainer.updates === 0;
  }

  async advance() {
    const before = this.trainer.steps;
    const { points, evaluation, seconds } = await this.trainer.advance(0.04);
    this.points.push(...points);
    if (seconds > 0) this.rate = (this.trainer.steps - before) / seconds;
    if (evaluation) this.evaluations.push(evaluation);
  }

  /// Lets the worlds be played by what was learned.
  async teach() {
    if (!at("watch").checked) return;
    await this.trainer.teach(this.stage.player.replay);
    await this.stage.refresh();
    describe(`what ${train.algo} has learned here after ${this.trainer.updates} updates`);
  }

  show() {
    drawCurve(at("curve"), this.points, this.evaluations, environment.threshold);
    if (!this.trainer) return;
    at("download").disabled = this.trainer.updates === 0;
    const [mean, evaluation] = [this.points.at(-1)?.mean ?? null, this.evaluations.at(-1)];
    at("progress").textContent = [
      `update ${this.trainer.updates} of ${train.num_updates}`,
      `${short(this.trainer.steps)} steps`,
      this.rate ? `${engineering(this.rate)} steps/s` : "",
      mean === null ? "" : `mean return ${number(mean)}`,
      evaluation ? `evaluated ${number(evaluation.mean)} over ${train.eval_episodes} episodes` : "",
    ].filter(Boolean).join(" · ");
  }

  /// The policy as a file that `manyworlds eval` takes.
  async file() {
    const { updates, parameters } = await this.trainer.snapshot();
    return checkpoint(train.metadata, policy.tensors, parameters, updates);
  }

  async download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await this.file()]));
    link.download = `${environment.name}.safetensors`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
