/* What one types into: text_input, text_area, number_input. What is typed is a draft until it is sent. */
import { createRenderEffect, createSignal, onCleanup, Show, type JSX } from "solid-js";
import type { Value } from "../bson";
import { formatNumber, tidy } from "../format";
import { controlId, Field, followHeight, Icon } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";
import { stepOf } from "./slider";

const LIVE_PAUSE = 300; /* ms without a key before a live field is sent */

type Editable = HTMLInputElement | HTMLTextAreaElement;

/** Show the widget's value in its field, unless the person is typing another one. */
function followText(node: TreeNode<"text_input" | "text_area">, field: Editable): void {
  const { events } = usePage();
  createRenderEffect(() => {
    const value = textOf(node.props.value);
    if (!events.hasDraft(node.id) && field.value !== value) field.value = value;
  });
}

function textOf(value: Value): string { return typeof value === "string" ? value : ""; }

function Counter(props: { count: number; most: number | undefined }): JSX.Element {
  return (
    <Show when={props.most}>{(most) => (
      <p class="field-note is-counter"><span class="number">{props.count} / {most()}</span></p>
    )}</Show>
  );
}

/* ---- text_input ---- */

export function TextInput(node: TreeNode<"text_input">): HTMLElement {
  const p = node.props, { events } = usePage();
  const [isOpen, setOpen] = createSignal(false);
  const [count, setCount] = createSignal(0);
  let timer = 0;
  onCleanup(() => clearTimeout(timer));
  const onInput = (event: { currentTarget: HTMLInputElement }) => {
    const { value } = event.currentTarget;
    setCount(value.length);
    events.draft(node.id, value);
    clearTimeout(timer);
    if (p.live) timer = window.setTimeout(() => events.commit(node.id), LIVE_PAUSE);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.isComposing) events.commit(node.id);
  };
  const input = (
    <input
      type={p.type === "password" && !isOpen() ? "password" : "text"} id={controlId(node)} disabled={p.disabled}
      placeholder={p.placeholder ?? ""} maxlength={p.max_chars} autocomplete={p.autocomplete ?? (p.type === "password" ? "current-password" : "off")}
      spellcheck={p.type === "password" ? false : undefined}
      onInput={onInput} onKeyDown={onKey} onBlur={() => events.leave(node.id)}
    />
  ) as HTMLInputElement;
  followText(node, input);
  createRenderEffect(() => setCount(textOf(p.value).length));
  return (
    <Field node={node} note={<Counter count={count()} most={p.max_chars} />}>
      <span class="input">
        <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>
        {input}
        <Show when={p.type === "password"}>
          <button type="button" class="icon-button is-small" aria-pressed={isOpen()} aria-label="Show the text" onClick={() => setOpen(!isOpen())}>
            <Icon name={isOpen() ? "eye-off" : "eye"} />
          </button>
        </Show>
      </span>
    </Field>
  ) as HTMLElement;
}

/* ---- text_area ---- */

export function TextArea(node: TreeNode<"text_area">): HTMLElement {
  const p = node.props, { events } = usePage();
  const [count, setCount] = createSignal(0);
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    events.commit(node.id);
  };
  const area = (
    <textarea
      id={controlId(node)} disabled={p.disabled} placeholder={p.placeholder ?? ""} maxlength={p.max_chars} rows="3"
      onInput={(event) => { setCount(event.currentTarget.value.length); events.draft(node.id, event.currentTarget.value); }}
      onKeyDown={onKey} onBlur={() => events.leave(node.id)}
    />
  ) as HTMLTextAreaElement;
  followText(node, area);
  createRenderEffect(() => setCount(textOf(p.value).length));
  followHeight(area, () => p.height);
  return (
    <Field node={node} note={<Counter count={count()} most={p.max_chars} />}>
      <span class="input is-area">{area}</span>
    </Field>
  ) as HTMLElement;
}

/* ---- number_input: a text field that knows numbers, so that every language's keyboard works ---- */

const REPEAT_AFTER = 400, REPEAT_EVERY = 80; /* ms of a stepper held down */

/** A number as people type it, or undefined. One comma and no point: a decimal comma. */
export function readNumber(text: string): number | undefined {
  let plain = text.trim().replace(/[\s_\u00a0\u202f'’]/g, "").replace("−", "-");
  if (/^[^,]*,[^,]*$/.test(plain) && !plain.includes(".")) plain = plain.replace(",", ".");
  else plain = plain.replaceAll(",", "");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

export function NumberInput(node: TreeNode<"number_input">): HTMLElement {
  const p = node.props, { events } = usePage();
  const [problem, setProblem] = createSignal("");
  const [isEditing, setEditing] = createSignal(false);
  const value = () => (typeof p.value === "number" ? p.value : undefined);
  const step = () => p.step ?? stepOf({ min: p.min ?? 0, max: p.max ?? 0 }, [value() ?? 0]);
  const real = () => (p.step || Number.isInteger(step()) ? step() : 0.01);
  const limit = (number: number) => Math.max(p.min ?? -Infinity, Math.min(p.max ?? Infinity, number));
  const shown = () => {
    const now = value();
    if (now === undefined) return "";
    return p.format && !isEditing() ? formatNumber(now, p.format) : String(now);
  };
  const onInput = () => {
    const text = input.value.trim(), number = readNumber(text);
    setProblem(text === "" ? "" : problemOf(number, p.min, p.max));
    events.draft(node.id, text === "" ? null : number === undefined ? undefined : limit(number));
  };
  const finish = (send: () => void) => {
    const had = events.hasDraft(node.id);
    setProblem("");
    send();
    if (had && !events.hasDraft(node.id)) input.value = shown();
  };
  const add = (steps: number) => {
    const now = (events.hasDraft(node.id) ? readNumber(input.value) : value()) ?? p.min ?? 0;
    events.dropDraft(node.id);
    events.setOften(node.id, limit(tidy(now + steps * real(), real())));
    setProblem("");
    input.value = shown();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish(() => events.commit(node.id));
    const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    add(steps);
  };
  const input = (
    <input
      type="text" inputmode="decimal" role="spinbutton" id={controlId(node)} disabled={p.disabled} autocomplete="off"
      placeholder={p.placeholder ?? ""} aria-valuenow={value()} aria-valuemin={p.min} aria-valuemax={p.max}
      aria-valuetext={value() === undefined ? "empty" : shown()} aria-invalid={problem() ? "true" : undefined}
      aria-describedby={problem() ? `${controlId(node)}-problem` : undefined}
      onInput={onInput} onKeyDown={onKey} onKeyUp={() => events.flush()} onFocus={() => setEditing(true)}
      onBlur={() => { setEditing(false); finish(() => events.leave(node.id)); events.flush(); }}
    />
  ) as HTMLInputElement;
  createRenderEffect(() => {
    const text = shown();
    if (!events.hasDraft(node.id) && input.value !== text) input.value = text;
  });
  const note = (
    <Show when={problem()}>
      <p class="field-error" id={`${controlId(node)}-problem`}><Icon name="circle-alert" />{problem()}</p>
    </Show>
  );
  return (
    <Field node={node} note={note}>
      <span class="input">
        <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>
        {input}
        <span class="steppers">
          <Stepper name="minus" word="Less" off={p.disabled || (value() ?? 0) <= (p.min ?? -Infinity)} act={() => add(-1)} />
          <Stepper name="plus" word="More" off={p.disabled || (value() ?? 0) >= (p.max ?? Infinity)} act={() => add(1)} />
        </span>
      </span>
    </Field>
  ) as HTMLElement;
}

function problemOf(number: number | undefined, least: number | undefined, most: number | undefined): string {
  if (number === undefined) return "This is not a number.";
  if (least !== undefined && number < least) return `At least ${formatNumber(least)}.`;
  return most !== undefined && number > most ? `At most ${formatNumber(most)}.` : "";
}

/** The arrows are for the pointer; the keyboard has its own in the field. */
function Stepper(props: { name: string; word: string; off: boolean; act: () => void }): JSX.Element {
  const { events } = usePage();
  let timer = 0;
  const stop = () => { clearTimeout(timer); events.flush(); };
  const repeat = () => {
    if (props.off) return stop();
    props.act();
    timer = window.setTimeout(repeat, REPEAT_EVERY);
  };
  onCleanup(() => clearTimeout(timer));
  return (
    <button
      type="button" tabindex="-1" aria-label={props.word} disabled={props.off}
      onPointerDown={() => { clearTimeout(timer); timer = window.setTimeout(repeat, REPEAT_AFTER); }}
      onPointerUp={stop} onPointerLeave={stop} onClick={() => { props.act(); events.flush(); }}
    ><Icon name={props.name} /></button>
  );
}
