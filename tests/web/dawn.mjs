// Dawn, the WebGPU of Chrome, without a browser.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/// Dawn's `navigator.gpu`; `folder` is where `webgpu` was installed, `flags` are Dawn's, such as "backend=null", which compiles no
/// further than to what a driver would get.
export async function openDawn(folder, ...flags) {
  const place = createRequire(resolve(folder, "package.json")).resolve("webgpu");
  const { create, globals } = await import(pathToFileURL(place));
  Object.assign(globalThis, globals);
  // what it gave ends with it, and an object that nobody names is collected
  globalThis.dawn = create(flags);
  return globalThis.dawn;
}

/// An adapter. Each makes one device.
export async function adapterOf(gpu) {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("Dawn found no adapter");
  return adapter;
}
