/* The browser of the tests: the system's Chromium, without anything that calls out. */
import { existsSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-default-apps", "--no-first-run", "--no-pings", "--disable-dev-shm-usage"];

function findChromium() {
  const wanted = process.env.CHROMIUM;
  if (wanted && existsSync(wanted)) return wanted;
  return execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser || command -v google-chrome"]).toString().trim();
}

export const openBrowser = () => chromium.launch({ executablePath: findChromium(), args: QUIET, timeout: 120_000 });
