/* The small parts that many elements share: icon, label, help, field, and how sizes are set. */
import { createRenderEffect, createSignal, Match, Show, Switch, type JSX } from "solid-js";
import { followDrawing } from "./icons";
import { hideFloating, showFloating } from "./floating";
import { late } from "./later";
import type { MarkdownBox } from "./markdown";
import { bare } from "./plain";
import { inlineNodes, plainText } from "./words";
import { codeBlock } from "./elements/code";

export type Size = number | "stretch" | "content" | undefined;

const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u;

/** A line drawing by its name; an emoji as it is; "spinner" turns. */
export function Icon(props: { name: string; class?: string }): JSX.Element {
  return (
    <Switch fallback={<Drawing {...props} />}>
      <Match when={props.name === "spinner"}>
        <span class="spinner" aria-hidden="true" />
      </Match>
      <Match when={EMOJI.test(props.name)}>
        <span class="icon is-emoji" aria-hidden="true">
          {props.name}
        </span>
      </Match>
    </Switch>
  );
}

function Drawing(props: { name: string; class?: string }): JSX.Element {
  const [path, setPath] = createSignal("");
  createRenderEffect(() => {
    const name = props.name;
    followDrawing(name, (drawing) => {
      if (props.name === name) setPath(drawing);
    });
  });
  return (
    <svg
      class={props.class ? `icon ${props.class}` : "icon"}
      viewBox="0 0 24 24"
      aria-hidden="true"
    >
      <path d={path()} />
    </svg>
  );
}

/** Inline Markdown. */
export function Inline(props: { text: string | undefined; class?: string }): JSX.Element {
  const box = (<span class={props.class} />) as HTMLElement;
  createRenderEffect(() => box.replaceChildren(...inlineNodes(String(props.text ?? ""))));
  return box;
}

/** Markdown in blocks. */
export function Prose(props: {
  text: string | undefined;
  class?: string;
  heading?: (heading: HTMLElement) => void;
}): JSX.Element {
  const box = (<div class={props.class ?? "prose"} />) as HTMLElement;
  let markdown: MarkdownBox | undefined;
  createRenderEffect(() => {
    const text = String(props.text ?? ""),
      all = late();
    if (!all) return box.replaceChildren(paragraph(text));
    if (!markdown) box.replaceChildren();
    markdown ??= new all.MarkdownBox(box, { code: codeBlock, heading: props.heading });
    markdown.show(text);
  });
  return box;
}

/** What stands in the place of Markdown until it can be read. */
function paragraph(text: string): HTMLElement {
  return (<p class="plain-text">{bare(text)}</p>) as HTMLElement;
}

/** A sign beside a label; what it says opens on hover, focus or touch. */
export function Help(props: { text: string | undefined; of: string | undefined }): JSX.Element {
  return <Show when={props.text}>{(text) => <HelpSign text={text()} of={props.of} />}</Show>;
}

function HelpSign(props: { text: string; of: string | undefined }): JSX.Element {
  const id = uniqueId("help");
  let sign!: HTMLButtonElement, tip!: HTMLDivElement;
  const show = () => showFloating(tip, sign, { above: true });
  const hide = () => hideFloating(tip);
  return (
    <>
      <button
        type="button"
        class="help"
        ref={sign}
        aria-describedby={id}
        aria-label={`Help${props.of ? `: ${plainText(props.of)}` : ""}`}
        onMouseEnter={show}
        onMouseLeave={hide}
        onFocus={show}
        onBlur={hide}
        onClick={show}
        onKeyDown={(event) => {
          if (event.key === "Escape") hide();
        }}
      >
        <Icon name="help" />
      </button>
      <div class="tooltip" role="tooltip" popover="manual" id={id} ref={tip}>
        <Prose text={props.text} />
      </div>
    </>
  );
}

interface WidgetNode {
  readonly id: number;
  readonly props: {
    label: string;
    help?: string;
    disabled: boolean;
    label_visibility: "visible" | "hidden" | "collapsed";
  };
}

/** Label above, the control, a line below. */
export function Field(props: {
  node: WidgetNode;
  class?: string;
  value?: JSX.Element;
  note?: JSX.Element;
  children: JSX.Element;
}): JSX.Element {
  const p = props.node.props;
  return (
    <div class={`field ${props.class ?? ""}`}>
      <div class="field-label" data-visibility={p.label_visibility}>
        <label for={controlId(props.node)}>
          <Inline text={p.label} />
        </label>
        <Help text={p.help} of={p.label} />
        {props.value}
      </div>
      {props.children}
      {props.note}
    </div>
  );
}

/** A group of controls under one legend. */
export function Group(props: {
  node: WidgetNode;
  class?: string;
  role?: "group" | "radiogroup";
  value?: JSX.Element;
  children: JSX.Element;
}): JSX.Element {
  const p = props.node.props;
  return (
    <div
      class={`field ${props.class ?? ""}`}
      role={props.role ?? "group"}
      aria-label={plainText(p.label)}
    >
      <div class="field-label" data-visibility={p.label_visibility}>
        <Inline text={p.label} />
        <Help text={p.help} of={p.label} />
        {props.value}
      </div>
      {props.children}
    </div>
  );
}

export function controlId(node: { readonly id: number }): string {
  return `w${node.id}`;
}

const counts = new Map<string, number>();

export function uniqueId(word: string): string {
  const count = (counts.get(word) ?? 0) + 1;
  counts.set(word, count);
  return count === 1 && word.length > 6 ? word : `${word}-${count}`;
}

/* ---- sizes, set through the style object: the policy allows no style attributes ---- */

export function followStyle(
  element: HTMLElement | SVGElement,
  name: string,
  value: () => string | undefined,
): void {
  createRenderEffect(() => {
    const text = value();
    if (text === undefined) element.style.removeProperty(name);
    else element.style.setProperty(name, text);
  });
}

export function followWidth(element: HTMLElement, width: () => Size): void {
  createRenderEffect(() => {
    const size = width();
    if (size === undefined) delete element.dataset.width;
    else element.dataset.width = typeof size === "number" ? "fixed" : size;
  });
  followStyle(element, "--width", () => (typeof width() === "number" ? `${width()}px` : undefined));
}

export function followHeight(element: HTMLElement, height: () => Size): void {
  createRenderEffect(() => {
    const size = height();
    if (size === undefined) delete element.dataset.height;
    else element.dataset.height = typeof size === "number" ? "fixed" : size;
  });
  followStyle(element, "--height", () =>
    typeof height() === "number" ? `${height()}px` : undefined,
  );
}

/* ---- copying ---- */

export function CopyButton(props: { text: () => string; of: string; class?: string }): JSX.Element {
  const [isDone, setDone] = createSignal(false);
  const copy = async () => {
    if (!(await copyText(props.text()))) return;
    setDone(true);
    setTimeout(() => setDone(false), 1600);
  };
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ""}`}
      aria-label={isDone() ? "Copied" : `Copy ${props.of}`}
      onClick={copy}
    >
      <Icon name={isDone() ? "check" : "copy"} />
    </button>
  );
}

/** The clipboard needs a secure origin; a text that is selected can be copied anywhere. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    return isDone;
  }
}
