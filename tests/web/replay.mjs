// Runs the plans of pages by Dawn: node replay.mjs OUTPUT FOLDER_OF_WEBGPU STEPS UPDATES PAGE…, a line of JSON in OUTPUT for each.

import { appendFile, readFile } from "node:fs/promises";
import { checkpoint } from "../../src/page/checkpoint.mjs";
import { Player } from "../../src/page/play.mjs";
import { outputs } from "../../src/page/policy.mjs";
import { Replay, limitsFor } from "../../src/page/replay.mjs";
import { Trainer } from "../../src/page/train.mjs";
import { adapterOf, openDawn } from "./dawn.mjs";
import { learn, trace } from "./scenario.mjs";

const [output, folder, steps, updates, ...pages] = process.argv.slice(2);
const gpu = await openDawn(folder);
for (const page of pages) {
  const text = await readFile(page, "utf8");
  const [, json] = text.match(/<script type="application\/json" id="data">(.*?)<\/script>/s);
  const { play, train, policy } = JSON.parse(json);
  const adapter = await adapterOf(gpu);
  const device = await adapter.requestDevice({ requiredLimits: limitsFor([play.plan, train.plan], adapter) });
  device.addEventListener("uncapturederror", ({ error }) => { throw error; });
  const player = new Player(await Replay.make(device, play.plan), play);
  const told = await trace(player, 0, Number(steps));
  const padded = new Float32Array(await player.replay.readRole("parameters"));
  const made = told.map(({ seen }) => outputs(policy, padded, seen));
  const trainer = new Trainer(await Replay.make(device, train.plan), train);
  const learned = await learn(trainer, Number(updates), checkpoint, policy.tensors);
  await appendFile(output, `${JSON.stringify({ trace: told, made, ...learned })}\n`);
}
process.exit(0);
