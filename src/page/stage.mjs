// The worlds, one of which is looked at.

import { Player, Screen } from "./play.mjs";
import { outputs, probabilities } from "./policy.mjs";
import { at, environment, fill, number, play, policy, tellError } from "./say.mjs";

/// The worlds and what is said of one of them.
export class Stage {
  constructor(replay, canvas) {
    Object.assign(this, { player: new Player(replay, play), playing: true, held: false, world: 0, hand: null, frame: 0, looked: 0 });
    this.screen = new Screen(canvas, this.player);
    this.parameters = new Float32Array(0);
    this.largest = [];
    this.refresh().catch(tellError);
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
      this.look().catch(tellError).finally(() => { this.looking = false; });
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
    const names = environment.actions;
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
    at("keys").textContent = keysInWords(environment.actions, handed);
    at("hand").onchange = () => { this.hand = at("hand").checked ? 0 : null; };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || keysOf(event.target).includes(event.key)) return;
      if (this.hand !== null && event.key in handed) this.hand = handed[event.key];
      else if (event.key === " ") toggle();
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

function keysInWords(names, handed) {
  const listed = names.slice(0, 10).map((name, i) => (name === String(i) ? name : `${i} ${name}`));
  return `keys ${listed.join(", ")}${Object.keys(handed).some((key) => key.startsWith("Arrow")) ? ", or arrows" : ""}`;
}

/// Keys that mean something to what has the focus.
function keysOf({ tagName, type }) {
  if (type === "range") return ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  return tagName === "BUTTON" || type === "checkbox" ? [" "] : [];
}
