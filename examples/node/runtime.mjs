// ONNX Runtime as Node has it, loaded where a network is to be computed.

import { refuse } from "./refusal.mjs";

export async function runtime() {
  const { default: ort } = await import("onnxruntime-node").catch(({ message }) =>
    refuse(`onnxruntime-node cannot be loaded (${message.split("\n")[0]}): run npm ci in examples/node`));
  return ort;
}
