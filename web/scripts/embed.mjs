/*
 * Writes the built client as one C file for the binary: `node scripts/embed.mjs OUT.c`, after
 * `npm run build`. Each file stands there plain, and as gzip and brotli where that is smaller; the
 * table is that of runtime/net/asset.h. Prints what it weighs.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { entrySize, scriptHashes } from "./size.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json",
};
const NOT_SERVED = new Set(["csp.json"]);
const BYTES_A_LINE = 24;
const dist = new URL("../dist/", import.meta.url);

function readFiles() {
  const entries = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const base = dist.pathname;
  const paths = entries.map((entry) => `${entry.path ?? entry.parentPath}/${entry.name}`.replace(/\/+/g, "/").slice(base.length));
  return paths.filter((path) => !NOT_SERVED.has(path)).sort().map(readOne);
}

function readOne(path) {
  const plain = readFileSync(new URL(path, dist));
  const type = TYPES[extname(path)];
  if (!type) throw new Error(`no type is known for ${path}`);
  const smaller = (bytes) => (bytes.length < plain.length * 0.95 ? bytes : undefined);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
  return {
    path, type, plain,
    etag: createHash("sha256").update(plain).digest("hex").slice(0, 20),
    gzip: smaller(gzipSync(plain, { level: 9 })),
    brotli: smaller(brotliCompressSync(plain, { params: quality })),
    isImmutable: path.startsWith("assets/"),
  };
}

function bytesOf(name, bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += BYTES_A_LINE) lines.push(`    ${[...bytes.subarray(i, i + BYTES_A_LINE)].join(",")},`);
  return `static const uint8_t ${name}[] = {\n${lines.join("\n")}\n};\n`;
}

const text = (value) => JSON.stringify(value);

function write(files) {
  const out = ["/* Made by web/scripts/embed.mjs: do not edit. */", "", '#include "net/asset.h"', "",
    "extern const struct asset assets[];", "extern const char asset_script_hashes[];", ""];
  files.forEach((file, index) => {
    for (const form of ["plain", "gzip", "brotli"]) if (file[form]) out.push(bytesOf(`${form}_${index}`, file[form]));
  });
  out.push("const struct asset assets[] = {");
  files.forEach((file, index) => {
    const body = (form) => (file[form] ? `${form}_${index}, sizeof ${form}_${index}` : "NULL, 0");
    out.push(`    {${text(`/${file.path}`)}, ${text(file.type)}, ${text(file.etag)},`,
      `     ${body("plain")}, ${body("gzip")}, ${body("brotli")}, ${file.isImmutable}},`);
  });
  out.push("    {NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, false},", "};", "");
  out.push("/* Sources for script-src, beside 'self': the page's own line of script. */");
  out.push(`const char asset_script_hashes[] = ${text(scriptHashes().join(" "))};`, "");
  return out.join("\n");
}

const [out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node scripts/embed.mjs OUT.c");
  process.exit(2);
}
const files = readFiles();
writeFileSync(out, write(files));
const sum = (form) => files.reduce((total, file) => total + (file[form] ?? file.plain).length, 0);
const { total, limit } = entrySize();
console.log(`${files.length} files: ${sum("plain")} bytes plain, ${sum("gzip")} gzip, ${sum("brotli")} brotli; entry ${total} of ${limit} gzip`);
