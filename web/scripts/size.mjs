/*
 * After the build: how much a browser loads before it can draw (index.html and what it names, as
 * gzip -9; fonts come beside), and the hash of the page's own line of script for the content policy
 * (dist/csp.json). The tests fail above the limit.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 60 * 1024; /* bytes */
const dist = new URL("../dist/", import.meta.url);
const page = readFileSync(new URL("index.html", dist), "utf8");

/** The files that index.html needs at once. */
export function entryFiles() {
  const named = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path);
  return ["index.html", ...named];
}

export function scriptHashes() {
  return [...page.matchAll(/<script>([^<]*)<\/script>/g)].map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
}

export function entrySize() {
  const sizes = entryFiles().map((path) => [path, gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length]);
  return { sizes, total: sizes.reduce((sum, [, size]) => sum + size, 0), limit: LIMIT };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { sizes, total } = entrySize();
  for (const [path, size] of sizes) console.log(`${String(size).padStart(7)}  ${path}`);
  console.log(`${String(total).padStart(7)}  entry, gzip; ${LIMIT} are allowed`);
  writeFileSync(new URL("csp.json", dist), `${JSON.stringify({ scripts: scriptHashes() }, null, 2)}\n`);
  if (total > LIMIT) console.error("The entry is too large.");
}
