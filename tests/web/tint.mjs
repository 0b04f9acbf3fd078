// Feeds kernels to Tint, the WGSL compiler of Chrome: node tint.mjs OUTPUT FOLDER_OF_WEBGPU KERNELS. A line of KERNELS is a kernel
// {name, wgsl, overrides, subgroups}. A line of OUTPUT is {name, refused}, with what was said of it or null.

import { appendFileSync, createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { adapterOf, openDawn } from "./dawn.mjs";

const [output, folder, file] = process.argv.slice(2);
// a driver would compile for hours, and is no judge of what WGSL is
const gpu = await openDawn(folder, "backend=null");
const device = await (await adapterOf(gpu)).requestDevice({ requiredFeatures: ["subgroups"] });

async function refusal({ wgsl, overrides, subgroups }) {
  // naga does not know the directive yet, and Tint takes no operation of a subgroup without it
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: subgroups ? `enable subgroups;\n${wgsl}` : wgsl });
  const error = (await module.getCompilationInfo()).messages.find((message) => message.type === "error");
  await device.popErrorScope(); // it says the same
  if (error) return `line ${error.lineNum}: ${error.message}`;
  device.pushErrorScope("validation");
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "mw_main", constants: overrides } });
  return (await device.popErrorScope())?.message ?? null;
}

for await (const line of createInterface({ input: createReadStream(file) })) {
  const kernel = JSON.parse(line);
  appendFileSync(output, `${JSON.stringify({ name: kernel.name, refused: await refusal(kernel) })}\n`);
}
process.exit(0);
