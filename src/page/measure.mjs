// Steps per second of the visitor's GPU.

import { Replay } from "./replay.mjs";

const RUNS = 5;
/// Passes of one submission, and seconds of one run.
const [PASSES, SECONDS] = [4096, 0.3];

/// Measures a case: median, smallest and largest steps per second of five runs, behind one that does not count.
export async function measure(device, { plan, num_envs, num_steps }) {
  const replay = await Replay.make(device, plan);
  try {
    replay.submit("begin", "work");
    await device.queue.onSubmittedWorkDone();
    const most = Math.max(1, Math.floor(PASSES / replay.passes("work").length));
    const run = async (times) => {
      const began = performance.now();
      for (let left = times; left > 0; left -= most) {
        replay.submit(...Array(Math.min(left, most)).fill("work"));
      }
      await device.queue.onSubmittedWorkDone();
      return (performance.now() - began) / 1000;
    };
    // as often as takes long enough for the clock, which browsers keep coarse
    let times = 1;
    for (let took = await run(1); took < SECONDS && times < 1e6; took = await run(times)) {
      times = Math.ceil(times * Math.min(16, 1.2 * SECONDS / Math.max(took, 1e-3)));
    }
    const rates = [];
    for (let i = 0; i < RUNS; i++) rates.push(times * num_envs * num_steps / await run(times));
    rates.sort((a, b) => a - b);
    return { median: rates[RUNS >> 1], min: rates[0], max: rates[RUNS - 1] };
  } finally {
    replay.destroy();
  }
}

/// One line for a report.
export function reportLine(program, name, results, adapter) {
  const { vendor, architecture, device, description } = adapter.info;
  const gpu = [description || device || vendor, architecture].filter(Boolean).join(", ") || "GPU without a name";
  const rates = results.map(({ mode, num_envs, num_steps, rate }) => (
    `${mode} ${num_envs}×${num_steps} ${engineering(rate.median)} steps/s (${engineering(rate.min)}–${engineering(rate.max)})`));
  return [`${program} in a browser`, name, ...rates, gpu, navigator.userAgent].join(" · ");
}

export function engineering(value) {
  const [unit, letter] = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([unit]) => value >= unit) ?? [1, ""];
  return (value / unit).toPrecision(3) + letter;
}
