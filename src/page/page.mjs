// The page: worlds that are played and drawn live, training, and measurements.

import { engineering, measure, reportLine } from "./measure.mjs";
import { Replay, limitsFor } from "./replay.mjs";
import { at, bench, data, describe, environment, fill, play, policy, tell, train } from "./say.mjs";
import { Stage } from "./stage.mjs";
import { Training } from "./training.mjs";

/// The adapter and a device that can hold all of the page's plans.
async function openDevice() {
  if (!window.isSecureContext) throw new Error("browsers give WebGPU to pages from https, localhost or a file alone; open this page as one of them");
  if (!navigator.gpu) {
    throw new Error("this browser has no WebGPU. Chrome and Edge have it from 113, Safari from 26, Firefox from 141 (Windows) and 145 (macOS); "
      + "in Chrome on Linux it may have to be turned on at chrome://flags/#enable-unsafe-webgpu");
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("this browser has WebGPU, and found no GPU for it; its page about GPUs (chrome://gpu, about:support) may say why");
  const plans = [play, train, ...bench].filter(Boolean).map((one) => one.plan);
  const device = await adapter.requestDevice({ requiredLimits: limitsFor(plans, adapter) });
  device.lost.then(({ message }) => tell(`The GPU is gone: ${message}`, true));
  device.addEventListener("uncapturederror", ({ error }) => tell(`The GPU refused something: ${error.message}`, true));
  return { adapter, device };
}

function listenToBench(adapter, device, stage, training) {
  at("bench").hidden = bench.length === 0;
  const run = async () => {
    const results = [];
    for (const one of bench) {
      at("report").textContent = `Measuring ${one.mode} …`;
      results.push({ ...one, rate: await measure(device, one) });
      fill(at("rates"), results.map(({ mode, num_envs, num_steps, rate }) => (
        [`${mode}, ${num_envs} worlds × ${num_steps} steps`, `${engineering(rate.median)} steps/s`, null, ""])));
    }
    at("report").textContent = reportLine(data.program, environment.name, results, adapter);
    at("copy").hidden = !navigator.clipboard; // pages from files have none in some browsers; the line can be marked
  };
  at("measure").onclick = async () => {
    at("measure").disabled = true;
    // nothing else is to run meanwhile
    const couldTrain = !at("train").disabled;
    at("train").disabled = true;
    await training?.pause();
    stage.held = true;
    await run().catch((error) => { at("report").textContent = `It cannot be measured: ${error.message}`; });
    stage.held = false;
    at("train").disabled = !couldTrain;
    at("measure").disabled = false;
  };
  at("copy").onclick = () => navigator.clipboard.writeText(at("report").textContent)
    .catch((error) => { at("report").textContent += `\n(It cannot be copied: ${error.message})`; });
}

async function main() {
  const began = performance.now();
  at("name").textContent = environment.name;
  describe(policy.about);
  at("outputs-title").textContent = play.real ? "What the policy would do next" : "What the policy would do next, with which probability";
  at("sampled").checked = play.sampled;
  const { adapter, device } = await openDevice();
  const replay = await Replay.make(device, play.plan, (done, all) => tell(`Compiling kernels: ${done} of ${all}`));
  at("page").hidden = false;
  const stage = new Stage(replay, at("screen"));
  stage.listen();
  const training = train && new Training(device, stage);
  listenToBench(adapter, device, stage, training);
  // for whoever looks under the hood in the browser's console
  window.manyworlds = { data, adapter, device, stage, training, Replay, measure };
  const frame = async () => {
    try {
      if (!stage.held) await stage.draw();
    } catch (error) {
      tell(`The worlds stand still. ${error.message}`, true);
      return;
    }
    requestAnimationFrame(frame);
  };
  await stage.draw();
  tell("");
  window.manyworlds.firstFrame = (performance.now() - began) / 1000;
  requestAnimationFrame(frame);
}

main().catch((error) => tell(`This page cannot begin: ${error.message}.`, true));
