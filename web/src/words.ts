/*
 * Labels and texts as the first file of the page can draw them: plain words at once, Markdown when
 * its reader has come with the second file. Until then its signs are left out: little changes.
 */
import { late } from "./later";
import { bare, isPlain } from "./plain";

/** Inline Markdown as nodes, for labels and headings. An effect is told when the reader comes. */
export function inlineNodes(text: string): Node[] {
  if (isPlain(text)) return text ? [document.createTextNode(text)] : [];
  return late()?.inlineNodes(text) ?? [document.createTextNode(bare(text))];
}

/** The text alone, for names that only a screen reader hears. */
export function plainText(text: string): string {
  return inlineNodes(text)
    .map((node) => node.textContent ?? "")
    .join("");
}
