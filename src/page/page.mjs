// The page: worlds that are played and drawn live, training, and measurements.

import { checkpoint } from "./checkpoint.mjs";
import { drawCurve, short } from "./chart.mjs";
import { engineering, measure, reportLine } from "./measure.mjs";
import { Player, Screen } from "./play.mjs";
import { outputs, probabilities } from "./policy.mjs";
import { Replay, limitsFor } from "./replay.mjs";
import { Trainer } from "./train.mjs";

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const { environment, policy, play, train, bench } = data;

/// Says what goes on, or what went wrong, in place of the page's hint.
function tell(text, isError = false) {
  at("message").textContent = text;
  at("message").className = isError ? "error" : "";
}

/// The adapter and a device that can hold all of the page's plans.
async function openDevice() {
  if (!window.isSecureContext) throw new Error("browsers give WebGPU to pages from https, localhost or a file alone; open this page as one of them");
  if (!navigator.gpu) {
    throw new Error("this browser has no WebGPU. Chrome and Edge have it from 113, Safari from 26, Firefox from 141 (Windows) and 145 (macOS); "
      + "in Chrome on Linux it may have to be turned on at chrome://flags/#enable-unsafe-webgpu");
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("this browser has WebGPU, and found no GPU for it; its page about GPUs (chrome://gpu, about:support) may say why");
  const plans = [play.plan, ...(train ? [train.plan] : []), ...bench.map((one) => one.plan)];
  const device = await adapter.requestDevice({ requiredLimits: limitsFor(plans, adapter) });
  device.lost.then(({ message }) => tell(`The GPU is gone: ${message}`, true));
  device.addEventListener("uncapturederror", ({ error }) => tell(`The GPU refused something: ${error.message}`, true));
  return { adapter, device };
}

/// Rows of a table: [name, number as text, share of the bar from 0 to 1 or null for none, class].
function fill(table, rows) {
  while (table.rows.length < rows.length) {
    const row = table.insertRow();
    ["", "number", "bar"].forEach((name) => { row.insertCell().className = name; });
    row.cells[2].appendChild(document.createElement("div"));
  }
  while (table.rows.length > rows.length) table.deleteRow(-1);
  rows.forEach(([name, text, share, kind], i) => {
    const row = table.rows[i];
    row.className = kind;
    row.cells[0].textContent = name;
    row.cells[1].textContent = text;
    row.cells[2].firstChild.hidden = share === null;
    row.cells[2].firstChild.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  });
}

/// Says whose worlds these are.
function describe(player) {
  at("about").textContent = [environment.about, player].filter(Boolean).join(" · ");
}

/// A name for every action of every choice, or for every real number.
function actionNames() {
  if (play.real || play.counts.length === 1) return environment.actions;
  return play.counts.flatMap((count, choice) => Array.from({ length: count }, (_, i) => `${environment.actions[choice]} ${i}`));
}

const number = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(4));

/// The worlds and what is said of one of them.
class Stage {
  constructor(replay, canvas) {
    Object.assign(this, { player: new Player(replay, play), playing: true, world: 0, hand: null, frame: 0, looked: 0 });
    this.screen = new Screen(canvas, this.player);
    this.parameters = new Float32Array(0);
    this.largest = [];
    this.refresh();
  }

  /// Reads the parameters that the worlds are played by.
  async refresh() {
    this.parameters = new Float32Array(await this.player.replay.readRole("parameters"));
  }

  step() {
    this.player.act(at("sampled").checked);
    if (this.hand !== null) this.player.choose(this.world, this.hand);
    this.player.step();
  }

  /// Steps that this frame makes: some, or one in every few frames.
  steps() {
    const speed = Number(at("speed").value);
    if (speed >= 0) return 2 ** speed;
    return this.frame % 2 ** -speed === 0 ? 1 : 0;
  }

  async draw() {
    this.frame++;
    if (this.playing) for (let i = this.steps(); i > 0; i--) this.step();
    await this.screen.draw(this.world);
    const now = performance.now();
    if (!this.looking && now - this.looked > 100) {
      [this.looking, this.looked] = [true, now];
      this.look().finally(() => { this.looking = false; });
    }
  }

  async look() {
    const world = this.world;
    const { observation, action, reward, terminated, truncated, allowed } = await this.player.look(world);
    at("world").textContent = world;
    fill(at("observation"), Array.from(observation, (value, i) => {
      this.largest[i] = Math.max(this.largest[i] ?? 1e-6, Math.abs(value));
      return [environment.observations[i], number(value), Math.abs(value) / this.largest[i], ""];
    }));
    const names = actionNames();
    if (this.player.steps > 0) {
      let first = 0;
      const did = Array.from(action, (value, i) => {
        if (play.real) return `${names[i]} ${number(value)}`;
        first += i > 0 ? play.counts[i - 1] : 0;
        return names[first + value];
      });
      const ending = terminated ? " · terminated" : truncated ? " · truncated by the step limit" : "";
      at("outcome").textContent = `Last step: ${did.join(", ")} · reward ${number(reward)}${ending}`;
    } else {
      at("outcome").textContent = "";
    }
    if (this.parameters.length === 0) return;
    const made = outputs(policy, this.parameters, observation);
    if (play.real) {
      fill(at("outputs"), made.map((value, i) => (
        [names[i], number(value), (value - play.low[i]) / (play.high[i] - play.low[i]), ""])));
    } else {
      const shares = probabilities(play.counts, made, allowed);
      fill(at("outputs"), shares.map((share, i) => (
        [names[i], `${(100 * share).toFixed(1)} %`, share, allowed && !allowed[i] ? "forbidden" : ""])));
    }
  }

  listen() {
    const toggle = () => {
      this.playing = !this.playing;
      at("play").textContent = this.playing ? "Pause" : "Play";
    };
    const once = () => {
      if (this.playing) toggle();
      this.step();
      this.looked = 0;
    };
    at("play").onclick = toggle;
    at("step").onclick = once;
    at("again").onclick = () => this.player.begin();
    at("speed").oninput = () => {
      const speed = Number(at("speed").value);
      at("speed-value").textContent = speed < 0 ? `1 step in ${2 ** -speed} frames` : `${2 ** speed} step${speed > 0 ? "s" : ""} a frame`;
    };
    at("screen").onclick = ({ offsetX, offsetY, target }) => {
      const scale = target.width / target.clientWidth / play.tile;
      const world = Math.floor(offsetY * scale) * play.columns + Math.floor(offsetX * scale);
      if (world < play.worlds) [this.world, this.looked] = [world, 0];
    };
    // where actions may be forbidden a key could ask for one of those
    const handed = play.real || play.counts.length > 1 || play.mask_words > 0 ? {} : keys(environment.actions);
    at("hand-label").hidden = Object.keys(handed).length === 0;
    at("keys").textContent = keysInWords(environment.actions);
    at("hand").onchange = () => { this.hand = at("hand").checked ? 0 : null; };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.hand !== null && event.key in handed) this.hand = handed[event.key];
      else if (event.key === " " && event.target.tagName !== "BUTTON") toggle();
      else if (event.key === "s") once();
      else return;
      event.preventDefault();
    });
  }
}

/// Which key stands for which action: its number, and arrows where actions are called so. What was pressed last counts until the next.
function keys(names) {
  const known = {};
  names.slice(0, 10).forEach((_, i) => { known[String(i)] = i; });
  for (const [key, word] of [["ArrowLeft", "left"], ["ArrowRight", "right"], ["ArrowUp", "up"], ["ArrowDown", "down"]]) {
    const action = names.findIndex((name) => name.toLowerCase().split(/[^a-z]+/).includes(word));
    if (action >= 0) known[key] = action;
  }
  return known;
}

function keysInWords(names) {
  const listed = names.slice(0, 10).map((name, i) => (name === String(i) ? name : `${i} ${name}`));
  return `keys ${listed.join(", ")}${names.some((name) => /left|right|up|down/i.test(name)) ? ", or arrows" : ""}`;
}

/// Training, its curve and its file.
class Training {
  constructor(device, stage) {
    Object.assign(this, { device, stage, points: [], evaluations: [], running: false, seconds: 0 });
    at("training").hidden = false;
    at("algo").textContent = `${train.algo}, seed ${train.seed}, ${short(train.total_timesteps)} steps`;
    at("train").onclick = () => (this.running ? this.pause() : this.start());
    at("download").onclick = () => this.download();
    this.show();
  }

  async prepare() {
    if (this.trainer) return;
    const told = (done, all) => { at("progress").textContent = `Compiling kernels: ${done} of ${all}`; };
    this.trainer = new Trainer(await Replay.make(this.device, train.plan, told), train);
  }

  pause() {
    this.running = false;
  }

  async start() {
    this.running = true;
    at("train").textContent = "Pause";
    try {
      await this.prepare();
      let shown = 0;
      while (this.running && !this.trainer.finished) {
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
    this.running = false;
    at("train").textContent = "Train";
    at("train").disabled = !this.trainer || this.trainer.finished;
  }

  async advance() {
    const { points, evaluation, seconds } = await this.trainer.advance(0.04);
    const before = this.points.at(-1)?.steps ?? train.first_steps;
    this.points.push(...points);
    this.seconds += seconds;
    this.rate = (this.trainer.steps - before) / seconds;
    if (evaluation) this.evaluations.push(evaluation);
  }

  async teach() {
    if (!at("watch").checked) return;
    this.trainer.teach(this.stage.player.replay);
    await this.stage.refresh();
    describe(`what ${train.algo} has learned here after ${this.trainer.updates} updates`);
  }

  show() {
    drawCurve(at("curve"), this.points, this.evaluations, environment.threshold);
    if (!this.trainer) return;
    at("download").disabled = this.trainer.updates === 0;
    const last = this.points.at(-1);
    const [mean, evaluation] = [last?.mean, this.evaluations.at(-1)];
    at("progress").textContent = [
      `update ${this.trainer.updates} of ${train.num_updates}`,
      `${short(this.trainer.steps)} steps`,
      this.rate ? `${engineering(this.rate)} steps/s` : "",
      mean === null || mean === undefined ? "" : `mean return ${number(mean)}`,
      evaluation ? `evaluated ${number(evaluation.mean)} over ${train.eval_episodes} episodes` : "",
    ].filter(Boolean).join(" · ");
  }

  /// The policy as a file that `manyworlds eval` takes.
  async file() {
    const updates = this.trainer.updates;
    return checkpoint(train.metadata, policy.tensors, await this.trainer.parameters(), updates);
  }

  async download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await this.file()]));
    link.download = `${environment.file}.safetensors`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

function listenToBench(adapter, device, stage) {
  at("bench").hidden = bench.length === 0;
  at("measure").onclick = async () => {
    at("measure").disabled = true;
    stage.held = true; // nothing else is to run meanwhile
    const results = [];
    try {
      for (const one of bench) {
        at("report").textContent = `Measuring ${one.mode} …`;
        results.push({ ...one, rate: await measure(device, one) });
        fill(at("rates"), results.map(({ mode, num_envs, num_steps, rate }) => (
          [`${mode}, ${num_envs} worlds × ${num_steps} steps`, `${engineering(rate.median)} steps/s`, null, ""])));
      }
      at("report").textContent = reportLine(data.program, environment.name, results, adapter);
      at("copy").hidden = false;
      at("copy").onclick = () => navigator.clipboard.writeText(at("report").textContent);
    } catch (error) {
      at("report").textContent = `It cannot be measured: ${error.message}`;
    }
    stage.held = false;
    at("measure").disabled = false;
  };
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
  listenToBench(adapter, device, stage);
  // for whoever looks under the hood in the browser's console
  window.manyworlds = { data, adapter, device, stage, training, Replay, Trainer, measure };
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
