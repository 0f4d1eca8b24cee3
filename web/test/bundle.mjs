/* The client's modules for tests: bundled by the esbuild that comes with Vite. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const SOURCE = new URL("../src/", import.meta.url);

async function bundle(entry, options) {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, SOURCE))], bundle: true, write: false, target: "es2022", logLevel: "silent", loader: { ".css": "empty" }, ...options,
  });
  return result.outputFiles[0].text;
}

/** A module of src/, for Node. */
export async function load(entry) {
  const text = await bundle(entry, { format: "esm", platform: "neutral" });
  return import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
}

/** A module of src/ as a script that sets `globalThis[name]`, for a browser. */
export const asScript = (entry, name) => bundle(entry, { format: "iife", globalName: name, mainFields: ["module", "main"] });

/** Numbers that look random and come again: mulberry32. */
export function makeRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (limit) => Math.floor(next() * limit), pick: (list) => list[Math.floor(next() * list.length)] };
}
