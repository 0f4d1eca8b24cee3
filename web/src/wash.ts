/* A value that has just changed is washed once: Moonlit's way to say what a run did. */
import type { TreeNode } from "./tree";

const TIME = 600; /* ms */
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/* A table washes its own cells; what moves all the time needs no wash. */
const WASHED = new Set([
  "markdown",
  "caption",
  "text",
  "title",
  "header",
  "subheader",
  "metric",
  "success",
  "info",
  "warning",
  "error",
]);

export function wash(nodes: TreeNode[]): void {
  for (const node of nodes) {
    if (node.view && WASHED.has(node.type)) washElement(node.view.element);
  }
}

export function washElement(element: Element): void {
  if (calm.matches || !element.isConnected) return;
  const soft = "var(--accent-soft)";
  const spread = element.matches("td, th, tr, .metric, .callout") ? "0" : "6px";
  element.animate([{ backgroundColor: soft, boxShadow: `0 0 0 ${spread} ${soft}` }, {}], {
    duration: TIME,
    easing: "ease-out",
    id: "wash",
  });
}
