/* What happened and what goes on: notes, errors of the script, progress, spinner, status, toast. */
import { createRenderEffect, createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { isDocument, type Value } from "../bson";
import { fillWith } from "../children";
import type { ExceptionProps } from "../elements.gen";
import { formatTime } from "../format";
import { CopyButton, Icon, Inline, Prose, uniqueId } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";
import { sourceNodes } from "./code";

/* ---- notes ---- */

const NOTES = {
  success: { tone: "good", icon: "circle-check", role: "status" },
  info: { tone: "info", icon: "info", role: "status" },
  warning: { tone: "warn", icon: "triangle-alert", role: "status" },
  error: { tone: "bad", icon: "circle-x", role: "alert" },
} as const;

export function Note(node: TreeNode<"success" | "info" | "warning" | "error">): HTMLElement {
  const p = node.props,
    { tone, icon, role } = NOTES[node.type];
  return (
    <div class="callout" data-tone={tone} role={role}>
      <Icon name={p.icon ?? icon} />
      <Show when={p.title}>{(title) => <Inline class="callout-title" text={title()} />}</Show>
      <Prose class="callout-body prose" text={p.body} />
    </div>
  ) as HTMLElement;
}

/* ---- an error of the script ---- */

export function Exception(node: TreeNode<"exception">): HTMLElement {
  const p = node.props;
  return (<Failure p={p} />) as HTMLElement;
}

export type FailureProps = Partial<
  Pick<ExceptionProps, "kind" | "file" | "line" | "source" | "traceback">
> & { message: string };

export function Failure(props: { p: FailureProps }): JSX.Element {
  const p = props.p;
  const lines = () => readSource(p.source);
  return (
    <div class="exception" data-tone="bad" role="alert">
      <div class="exception-head">
        <Icon name="circle-x" />
        <p class="exception-title">{p.message}</p>
        <CopyButton of="the error" text={() => failureText(p)} />
        <p class="exception-place">
          {p.kind ?? "Error"}
          <Show when={p.file}>
            {" "}
            in <code>{p.file}</code>
          </Show>
          <Show when={p.line}> line {p.line}</Show>
        </p>
      </div>
      <Show when={lines().length > 0}>
        <div
          class="source"
          tabindex="0"
          role="group"
          aria-label={`The source around line ${p.line ?? ""}`}
        >
          <ol>
            <For each={lines()}>
              {([number, text]) => (
                <li
                  classList={{ "is-here": number === p.line }}
                  aria-current={number === p.line ? "true" : undefined}
                >
                  <span>{number}</span>
                  <code>{sourceNodes(text, "lua")}</code>
                </li>
              )}
            </For>
          </ol>
        </div>
      </Show>
      <Show when={(p.traceback?.length ?? 0) > 0}>
        <details class="trace">
          <summary>
            <Icon name="chevron-right" class="chevron" />
            Traceback
          </summary>
          <ol>
            <For each={p.traceback}>{(call) => <Call text={call} />}</For>
          </ol>
        </details>
      </Show>
    </div>
  );
}

function Call(props: { text: string }): JSX.Element {
  const parts = () =>
    /^\s*(\S+?:\d+):?\s*(.*)$/.exec(props.text) ?? [undefined, props.text.trim(), ""];
  return (
    <li>
      <span>{parts()[1]}</span>
      <span>{parts()[2]}</span>
    </li>
  );
}

/** Lines as [number, text] or { number, text }. */
function readSource(source: Value): [number, string][] {
  if (!Array.isArray(source)) return [];
  return source.flatMap((line): [number, string][] => {
    const [number, text] = Array.isArray(line)
      ? line
      : isDocument(line)
        ? [line.number, line.text]
        : [];
    return typeof number === "number" && typeof text === "string" ? [[number, text]] : [];
  });
}

function failureText(p: FailureProps): string {
  const place = p.file
    ? `${p.kind ?? "Error"} in ${p.file}${p.line ? ` line ${p.line}` : ""}`
    : (p.kind ?? "Error");
  const source = readSource(p.source).map(
    ([number, text]) => `${number === p.line ? ">" : " "} ${number}  ${text}`,
  );
  return [p.message, place, ...source, ...(p.traceback ?? [])].join("\n");
}

/* ---- progress ---- */

export function ProgressBar(node: TreeNode<"progress">): HTMLElement {
  const p = node.props,
    id = uniqueId("progress");
  const share = () => Math.max(0, Math.min(1, p.value > 1 ? p.value / 100 : p.value || 0));
  const percent = () => `${Math.round(share() * 100)}%`;
  return (
    <div class="field progress-box">
      <Show when={p.text}>
        <div class="field-label">
          <label for={id}>
            <Inline text={p.text} />
          </label>
          <span class="field-value" aria-hidden="true">
            {percent()}
          </span>
        </div>
      </Show>
      <progress
        class="progress"
        id={id}
        max="1"
        value={share()}
        aria-label={p.text ? undefined : "Progress"}
      />
    </div>
  ) as HTMLElement;
}

/* ---- spinner: it may be over before anyone need know of it ---- */

const SPINNER_AFTER = 500; /* ms */
const TICK = 100;

export function Spinner(node: TreeNode<"spinner">): HTMLElement {
  const p = node.props,
    started = Date.now();
  const [isShown, setShown] = createSignal(false);
  const [time, setTime] = createSignal(0);
  const timer = setTimeout(() => setShown(true), SPINNER_AFTER);
  const ticker = setInterval(() => {
    if (p.show_time) setTime(Date.now() - started);
  }, TICK);
  onCleanup(() => {
    clearTimeout(timer);
    clearInterval(ticker);
  });
  const children = (<div class="stack" />) as HTMLElement;
  fillWith(children, node);
  return (
    <div class="stack spinner-box">
      <div class="spinner-line" role="status" classList={{ "is-waiting": !isShown() }}>
        <span class="spinner" aria-hidden="true" />
        <Show when={isShown()}>
          <Inline text={p.text ?? "Working"} />
        </Show>
        <Show when={isShown() && p.show_time}>
          <span class="number is-quiet" aria-hidden="true">
            {formatTime(time())}
          </span>
        </Show>
      </div>
      {children}
    </div>
  ) as HTMLElement;
}

/* ---- status ---- */

const STATES = {
  running: { tone: undefined, icon: undefined, word: "running" },
  complete: { tone: "good", icon: "circle-check", word: "complete" },
  error: { tone: "bad", icon: "circle-x", word: "failed" },
} as const;

export function Status(node: TreeNode<"status">): HTMLElement {
  const p = node.props,
    [time, setTime] = createSignal<number>();
  let began = 0; /* when its task did, in this run; 0: it was done when it came */
  const ticker = setInterval(() => {
    if (p.state === "running") setTime(Date.now() - began);
  }, TICK);
  createRenderEffect(() => {
    if (p.state === "running") began = Date.now();
    else if (began > 0) setTime(Date.now() - began);
  });
  onCleanup(() => clearInterval(ticker));
  const state = () => STATES[p.state];
  const body = (<div class="status-body" />) as HTMLElement;
  fillWith(body, node);
  const box = (
    <details
      class="status-block"
      data-tone={state().tone}
      classList={{ "is-compact": p.type === "compact" }}
    >
      <summary>
        <Show when={state().icon} fallback={<span class="spinner" aria-hidden="true" />}>
          {(name) => <Icon name={name()} />}
        </Show>
        <Inline text={p.label} />
        <span class="visually-hidden">, {state().word}</span>
        <Show when={time() !== undefined}>
          <span class="card-note" aria-hidden="true">
            {formatTime(time()!)}
          </span>
        </Show>
        <Icon name="chevron-right" class="chevron" />
      </summary>
      {body}
    </details>
  ) as HTMLDetailsElement;
  createRenderEffect(() => {
    box.open = p.expanded;
  });
  return box;
}

/* ---- toast ---- */

const DURATIONS: Record<string, number> = { short: 4000, long: 10_000, infinite: Infinity };

/** The next run takes the element away, however soon; the person still reads it to its end. */
export function Toast(node: TreeNode<"toast">): HTMLElement {
  const p = node.props,
    { notices, tree } = usePage();
  const linger = (left: number) => {
    if (tree.event.list.some((other) => other.get("body") === p.body)) return;
    notices.say(`toast: ${p.body}`, p.body, { icon: p.icon ?? "bell", time: left });
  };
  const time = () =>
    typeof p.duration === "number" ? p.duration * 1000 : (DURATIONS[String(p.duration)] ?? 4000);
  return (
    <ToastCard text={p.body} icon={p.icon} time={time()} onTaken={linger} />
  ) as HTMLElement;
}

export function ToastCard(props: {
  text: string;
  icon?: string;
  tone?: string;
  time: number;
  onClose?: () => void;
  onTaken?: (left: number) => void /* taken away so many ms before its time */;
}): JSX.Element {
  const [isGone, setGone] = createSignal(false);
  let timer = 0,
    end = Infinity;
  const close = () => {
    setGone(true);
    props.onClose?.();
  };
  const wait = () => {
    clearTimeout(timer);
    if (!Number.isFinite(props.time)) return;
    end = Date.now() + props.time;
    timer = window.setTimeout(close, props.time);
  };
  createRenderEffect(() => {
    void props.text;
    setGone(false);
    wait();
  });
  onCleanup(() => {
    clearTimeout(timer);
    const left = end - Date.now();
    if (!isGone() && left > 0 && left < Infinity) props.onTaken?.(left);
  });
  return (
    <div
      class="toast"
      data-tone={props.tone}
      hidden={isGone()}
      onPointerEnter={() => clearTimeout(timer)}
      onPointerLeave={wait}
      onFocusIn={() => clearTimeout(timer)}
      onFocusOut={wait}
    >
      <Icon name={props.icon ?? "bell"} />
      <Inline class="toast-text" text={props.text} />
      <button type="button" class="icon-button is-small" aria-label="Close" onClick={close}>
        <Icon name="x" />
      </button>
    </div>
  );
}
