/* Source code with a copy button, its colours, and line numbers if wanted. */
import { createRenderEffect, createRoot, untrack } from "solid-js";
import { render } from "solid-js/web";
import { late } from "../later";
import { CopyButton, followHeight } from "../parts";
import type { TreeNode } from "../tree";

export function Code(node: TreeNode<"code">): HTMLElement {
  const p = node.props;
  const code = (<code />) as HTMLElement;
  const box = (
    <div class="code" classList={{ "has-numbers": p.line_numbers, "is-wrapped": p.wrap_lines }}>
      <pre tabindex="0" role="group" aria-label="Source code">
        {code}
      </pre>
      <CopyButton class="copy" of="the code" text={() => p.body} />
    </div>
  ) as HTMLElement;
  createRenderEffect(() => fill(code, String(p.body ?? ""), p.language ?? "text", p.line_numbers));
  followHeight(box, () => p.height);
  return box;
}

/** A fenced block inside Markdown. */
export function codeBlock(text: string, language: string): HTMLElement {
  const box = document.createElement("div");
  box.className = "code";
  const pre = document.createElement("pre"),
    code = document.createElement("code");
  pre.tabIndex = 0;
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", "Source code");
  pre.append(code);
  box.append(pre);
  render(() => <CopyButton class="copy" of="the code" text={() => text} />, box);
  fillWhenColoured(code, text, language);
  return box;
}

/** A block is not told when it goes, so it waits for the colours only while they are to come. */
function fillWhenColoured(code: HTMLElement, text: string, language: string): void {
  const show = () => fill(code, text, language, false);
  if (untrack(late)) untrack(show);
  else
    createRoot((dispose) =>
      createRenderEffect(() => {
        show();
        if (late()) queueMicrotask(dispose);
      }),
    );
}

/** Plain at first, coloured when the colours have come. */
export function sourceNodes(text: string, language: string): Node[] {
  return late()?.highlight(text, language) ?? [document.createTextNode(text)];
}

function fill(code: HTMLElement, text: string, language: string, hasNumbers: boolean): void {
  const nodes = sourceNodes(text.replace(/\n$/, ""), language);
  code.replaceChildren(...(hasNumbers ? numberLines(nodes) : nodes));
}

/** One element a line: pieces that go over several lines are cut at the line ends. */
function numberLines(nodes: Node[]): Node[] {
  const lines: HTMLElement[] = [];
  const open = () => {
    const line = document.createElement("span");
    line.className = "line";
    line.dataset.number = String(lines.length + 1);
    lines.push(line);
    return line;
  };
  let line = open();
  for (const node of nodes) {
    const parts = (node.textContent ?? "").split("\n");
    parts.forEach((part, index) => {
      if (index > 0) {
        line.append("\n");
        line = open();
      }
      const copy = node.cloneNode(false);
      copy.textContent = part;
      line.append(copy);
    });
  }
  return lines;
}
