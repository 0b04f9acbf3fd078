// Opens pages in Chromium, without a window and on the processor: node browser.mjs OUTPUT CHROMIUM STEPS UPDATES
// PAGE PICTURE …, a line of JSON in OUTPUT for each page; where UPDATES is "none", in a browser without WebGPU. It talks to the browser by its debugging pipe, two streams of JSON texts that end with a zero.

import { spawn } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [output, chromium, steps, updates, ...files] = process.argv.slice(2);
const withoutWebGpu = updates === "none";
const profile = await mkdtemp(join(tmpdir(), "manyworlds-web-"));
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu-sandbox",
  ...(withoutWebGpu ? [] : ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]),
  "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--window-size=1280,1000", `--user-data-dir=${profile}`, "--remote-debugging-pipe", "about:blank"];
const browser = spawn(chromium, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const waiting = new Map();
let [last, rest] = [0, ""];
browser.stdio[4].on("data", (data) => {
  const texts = (rest + data).split("\0");
  rest = texts.pop();
  for (const { id, result, error } of texts.map((text) => JSON.parse(text))) {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }
});

function call(method, params = {}, sessionId = undefined) {
  const id = ++last;
  browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/// Opens a page: a function that evaluates an expression in it, and one that takes its picture.
async function open(page) {
  const { targetId } = await call("Target.createTarget", { url: pathToFileURL(page).href });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const picture = async () => (await call("Page.captureScreenshot", { format: "png" }, sessionId)).data;
  return { evaluate, picture, close: () => call("Target.closeTarget", { targetId }) };
}

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });
const scenario = (await readFile(new URL("scenario.mjs", import.meta.url), "utf8")).replaceAll("export ", "");

async function run(page, picture) {
  const { evaluate, picture: shot, close } = await open(page);
  const began = performance.now();
  const said = () => evaluate("document.getElementById('message')?.className === 'error' ? document.getElementById('message').textContent : ''");
  while (!(await evaluate("window.manyworlds?.firstFrame ?? 0"))) {
    const text = await said();
    if (text && withoutWebGpu) return { message: text };
    if (text) throw new Error(text);
    if (performance.now() - began > 120_000) throw new Error("no frame was drawn in two minutes");
    await pause(0.1);
  }
  const firstFrame = await evaluate("window.manyworlds.firstFrame");
  // a visitor takes a world in hand
  const hand = await evaluate(`(async () => {
    const { stage } = window.manyworlds;
    document.getElementById("play").click();
    document.getElementById("hand").click();
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    stage.step();
    const { action } = await stage.player.look(stage.world);
    document.getElementById("hand").click();
    document.getElementById("play").click();
    return { action: Array.from(action) };
  })()`);
  // before it learns, since then it plays what it has learned
  const traced = await evaluate(`(async () => { ${scenario}
    const { stage } = window.manyworlds;
    stage.playing = false;
    const told = await trace(stage.player, 0, ${steps});
    stage.playing = true;
    return told; })()`);
  // the page's own training, begun as by its button
  const training = `(async () => {
    const { stage, training } = window.manyworlds;
    // whoever changes their mind while kernels are compiled has one trainer, and nothing under way behind a pause
    training.toggle();
    training.toggle();
    await training.prepare();
    await training.pause();
    const { trainer } = training;
    const begun = trainer.updates;
    let file = null;
    while (trainer.updates < ${updates}) {
      trainer.perSubmission = Math.min(trainer.perSubmission, ${updates} - trainer.updates);
      const turn = training.advance();
      file = training.file(); // asked for while updates are under way
      await turn;
    }
    training.show();
    await training.teach();
    const parameters = Array.from((await trainer.snapshot()).parameters);
    const played = Array.from(stage.parameters);
    return { begun, parameters, played, points: training.points, file: Array.from(await file) };
  })()`;
  const learned = await evaluate(training);
  await pause(2);
  await writeFile(picture, Buffer.from(await shot(), "base64"));
  const message = await evaluate("document.getElementById('message').textContent");
  await close();
  return { firstFrame, hand, trace: traced, message, ...learned };
}

try {
  for (let i = 0; i < files.length; i += 2) {
    await appendFile(output, `${JSON.stringify(await run(files[i], files[i + 1]))}\n`);
  }
} finally {
  browser.kill();
  await new Promise((resolve) => { browser.on("exit", resolve); });
  await rm(profile, { recursive: true, force: true });
}
process.exit(0);
