/*
 * Light, dark, or as the system says. The choice is kept in localStorage; index.html's own line of
 * script sets it before the first paint.
 */
import { createSignal } from "solid-js";

export type Choice = "system" | "light" | "dark";
const KEY = "moonlit-theme";
const ORDER: Choice[] = ["system", "light", "dark"];
const night = matchMedia("(prefers-color-scheme: dark)");

const [choice, setChoice] = createSignal<Choice>(recall());

function recall(): Choice {
  const set = document.documentElement.dataset.theme;
  return set === "light" || set === "dark" ? set : "system";
}

function keep(next: Choice): void {
  const root = document.documentElement;
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    /* a page that may not store keeps it until it is closed */
  }
}

export const theme = {
  choice,
  shown: (): "light" | "dark" => {
    const chosen = choice();
    return chosen === "system" ? (night.matches ? "dark" : "light") : chosen;
  },
  next(): void {
    const next = ORDER[(ORDER.indexOf(choice()) + 1) % ORDER.length]!;
    keep(next);
    setChoice(next);
    for (const listener of listeners) listener();
  },
  onChange(listener: () => void): void {
    listeners.push(listener);
    night.addEventListener("change", listener);
  },
};

const listeners: (() => void)[] = [];
