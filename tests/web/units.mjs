// What modules of the page do by themselves: node units.mjs OUTPUT. Ends with an error where one does something else.

import assert from "node:assert/strict";
import { blake3, hex } from "../../src/page/blake3.mjs";
import { probabilities } from "../../src/page/policy.mjs";
import { Trainer } from "../../src/page/train.mjs";

// of BLAKE3's own test vectors: bytes 0, 1, … 250, 0, 1, …; no chunk, one, several, and a tree that is not even
const bytes = (length) => Uint8Array.from({ length }, (_, i) => i % 251);
for (const [length, start] of [[0, "af1349b9f5f9a1a6a040"], [1, "2d3adedff11b61f14c88"], [1023, "10108970eeda3eb932ba"],
  [1024, "42214739f095a406f3fc"], [1025, "d00278ae47eb27b34fae"], [2048, "e776b6028c7cd22a4d0b"], [31744, "62b6960e1a44bcc1eb1a"]]) {
  assert.equal(hex(blake3(bytes(length))).slice(0, 20), start, `BLAKE3 of ${length} bytes`);
}

const close = (found, expected) => found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${found}`));
close(probabilities([2, 3], [0, 0, 1, 1, 1], null), [0.5, 0.5, 1 / 3, 1 / 3, 1 / 3]);
close(probabilities([2, 2], [800, 0, 5, 5], [true, true, false, true]), [1, 0, 0, 1]);
close(probabilities([2], [1, 2], [false, false]), [0, 0]);

// a device that counts, and takes its time
class Device {
  constructor(faults = {}) {
    Object.assign(this, { faults, done: 0, evaluated: [] });
  }

  submit(name) {
    if (name === "update") this.done++;
    if (name === "evaluation") this.evaluated.push(this.done);
  }

  async readRole(name) {
    const done = this.done;
    await new Promise((resolve) => { setTimeout(resolve, 2); });
    if (name === "outcomes") return new Float32Array([100, 9, 1, this.faults.evaluation ?? 0, 50, 9, 1, 0]).buffer;
    if (name === "parameters") return new Float32Array([done]).buffer;
    const rows = new DataView(new ArrayBuffer(4 * 20));
    for (let row = 0; row < 4; row++) {
      rows.setFloat32(20 * row, 30, true); // episodes
      rows.setFloat32(20 * row + 4, 300, true); // their returns
      rows.setUint32(20 * row + 12, done >= this.faults.update ? 3 : 0, true);
    }
    return rows.buffer;
  }
}

const fields = { episodes: ["f32", 0], return_sum: ["f32", 4], steps: ["u32", 8], fault: ["u32", 12], fault_loop: ["u32", 16] };
const run = {
  ring: 4, num_updates: 10, eval_every: 4, eval_episodes: 2, first_steps: 7, steps_of_updates: 5, metrics: { bytes: 20, fields }, faults: { 3: "the policy loss" },
};

// turns that are asked for at once come one after the other, evaluations where they belong, and nothing behind the last update
const device = new Device();
const trainer = new Trainer(device, run);
const turns = await Promise.all(Array.from({ length: 12 }, () => trainer.advance(10)));
const points = turns.flatMap((turn) => turn.points);
assert.deepEqual([device.done, points.length, trainer.updates, trainer.finished], [10, 10, 10, true]);
assert.deepEqual(device.evaluated, [4, 8, 10]);
assert.deepEqual(points.map((point) => point.steps), Array.from({ length: 10 }, (_, i) => 12 + 5 * i));
assert.deepEqual([points[0].mean, turns.find((turn) => turn.evaluation).evaluation], [10, { steps: 27, mean: 75 }]);

// a look at the parameters is of the updates that are counted
const looked = new Trainer(new Device(), run);
const turn = looked.advance(10);
const snapshot = looked.snapshot();
looked.advance(10);
assert.equal((await turn).points.length, 1);
const { updates, parameters } = await snapshot;
assert.deepEqual([updates, parameters[0]], [1, 1]);

// what is unsound ends it, by name
const unsound = new Trainer(new Device({ update: 2 }), { ...run, eval_every: 0 });
await unsound.advance(0);
await assert.rejects(unsound.advance(0), /Update 1: the policy loss is not finite any more/);
await assert.rejects(unsound.snapshot(), /the policy loss/);
assert.ok(unsound.finished);
const evaluated = new Trainer(new Device({ evaluation: -3 }), { ...run, eval_every: 1 });
await assert.rejects(evaluated.advance(0), /The evaluation after 1 updates: a loop of the environment did not end/);
