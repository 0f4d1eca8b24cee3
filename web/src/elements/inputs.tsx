/* What one types into: text_input, text_area, number_input. It is a draft until it is sent. */
import { createRenderEffect, createSignal, onCleanup, Show, type JSX } from "solid-js";
import type { Value } from "../bson";
import type { TextInputProps } from "../elements.gen";
import { formatNumber, tidy } from "../format";
import { controlId, Field, followHeight, Icon } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";
import { stepOf } from "./slider";

const LIVE_PAUSE = 300; /* ms without a key before a live field is sent */

type Editable = HTMLInputElement | HTMLTextAreaElement;

type TextNode = TreeNode<"text_input" | "text_area">;

function textOf(value: Value): string {
  return typeof value === "string" ? value : "";
}

/** The script's text for what is typed: a caret that is not at the end stays where it is. */
function putText(field: Editable, text: string): void {
  const { selectionStart: from, selectionEnd: to } = field;
  const isInside = document.activeElement === field && to !== null && to < field.value.length;
  field.value = text;
  if (isInside) field.setSelectionRange(from, to);
}

/**
 * What is typed into a field of text: a draft of the widget's value, or, while something is wrong
 * with it, of none. What is wrong is said when the field is left, not while one types.
 */
function typeInto(node: TextNode, field: Editable, problemOf: (text: string) => string) {
  const { events } = usePage();
  const [count, setCount] = createSignal(0);
  const [problem, setProblem] = createSignal("");
  field.value = textOf(node.props.value);
  createRenderEffect(() => {
    const value = textOf(node.props.value);
    setCount(value.length);
    if (events.hasDraft(node.id)) return;
    setProblem("");
    if (field.value !== value) putText(field, value);
  });
  field.addEventListener("input", () => {
    const wrong = problemOf(field.value);
    setCount(field.value.length);
    events.draft(node.id, wrong ? undefined : field.value);
    if (problem()) setProblem(wrong);
  });
  const finish = (send: () => void) => {
    setProblem(events.hasDraft(node.id) || problem() ? problemOf(field.value) : "");
    send();
  };
  field.addEventListener("blur", () => finish(() => events.leave(node.id)));
  createRenderEffect(() => {
    if (problem()) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  });
  const note = (): JSX.Element => (
    <>
      <Problem of={node} text={problem()} />
      <Counter count={count()} most={node.props.max_chars} />
    </>
  );
  return { note, commit: () => finish(() => events.commit(node.id)) };
}

const EMPTY = "This cannot be empty.";

function Counter(props: { count: number; most: number | undefined }): JSX.Element {
  return (
    <Show when={props.most}>
      {(most) => (
        <p class="field-note is-counter">
          <span class="number">
            {props.count} / {most()}
          </span>
        </p>
      )}
    </Show>
  );
}

const problemId = (node: { readonly id: number }) => `${controlId(node)}-problem`;

/** Its place is there from the start, so that a screen reader hears what comes into it. */
function Problem(props: { of: { readonly id: number }; text: string }): JSX.Element {
  return (
    <p class="field-error" id={problemId(props.of)} aria-live="polite">
      <Show when={props.text}>
        <Icon name="circle-alert" />
        {props.text}
      </Show>
    </p>
  );
}

/* ---- text_input ---- */

const AUTOCOMPLETE: Record<string, string> = {
  password: "current-password",
  email: "email",
  url: "url",
  tel: "tel",
};

export function TextInput(node: TreeNode<"text_input">): HTMLElement {
  const p = node.props,
    { events } = usePage();
  const [isOpen, setOpen] = createSignal(false);
  let timer = 0;
  onCleanup(() => clearTimeout(timer));
  const onInput = () => {
    clearTimeout(timer);
    if (p.live) timer = window.setTimeout(() => events.commit(node.id), LIVE_PAUSE);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.isComposing) commit();
  };
  const type = () => (p.type === "default" || isOpen() ? "text" : p.type);
  const input = (
    <input
      type={type()}
      id={controlId(node)}
      disabled={p.disabled}
      aria-required={p.required || undefined}
      aria-describedby={problemId(node)}
      placeholder={p.placeholder ?? ""}
      maxlength={p.max_chars}
      autocomplete={p.autocomplete ?? AUTOCOMPLETE[p.type] ?? "off"}
      spellcheck={p.type === "default" ? undefined : false}
      onKeyDown={onKey}
    />
  ) as HTMLInputElement;
  const { note, commit } = typeInto(node, input, (text) =>
    textProblem(p, text, input.validity.typeMismatch),
  );
  input.addEventListener("input", onInput);
  return (
    <Field node={node} note={note()}>
      <span class="input">
        <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>
        {input}
        <Show when={p.type === "password"}>
          <button
            type="button"
            class="icon-button is-small"
            aria-pressed={isOpen()}
            aria-label="Show the text"
            onClick={() => setOpen(!isOpen())}
          >
            <Icon name={isOpen() ? "eye-off" : "eye"} />
          </button>
        </Show>
      </span>
    </Field>
  ) as HTMLElement;
}

function textProblem(p: TextInputProps, text: string, isMistyped: boolean): string {
  if (text === "") return p.required ? EMPTY : "";
  if (isMistyped)
    return p.type === "email"
      ? "This is no e-mail address."
      : "This is no whole address, such as https://example.org.";
  return p.validate && !matchesWhole(p.validate, text)
    ? "This does not have the form that is asked for."
    : "";
}

/** A pattern that is none asks for nothing. */
function matchesWhole(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true;
  }
}

/* ---- text_area ---- */

export function TextArea(node: TreeNode<"text_area">): HTMLElement {
  const p = node.props;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    commit();
  };
  const area = (
    <textarea
      id={controlId(node)}
      disabled={p.disabled}
      aria-required={p.required || undefined}
      aria-describedby={problemId(node)}
      placeholder={p.placeholder ?? ""}
      maxlength={p.max_chars}
      rows="3"
      onKeyDown={onKey}
    />
  ) as HTMLTextAreaElement;
  const { note, commit } = typeInto(node, area, (text) => (p.required && text === "" ? EMPTY : ""));
  followHeight(area, () => p.height);
  return (
    <Field node={node} note={note()}>
      <span class="input is-area">{area}</span>
    </Field>
  ) as HTMLElement;
}

/* ---- number_input: a text field that knows numbers, for the keyboards of every language ---- */

const REPEAT_AFTER = 400,
  REPEAT_EVERY = 80; /* ms of a stepper held down */

/** A number as people type it, or undefined. One comma and no point: a decimal comma. */
function readNumber(text: string): number | undefined {
  let plain = text
    .trim()
    .replace(/[\s_\u00a0\u202f'’]/g, "")
    .replace("−", "-");
  if (/^[^,]*,[^,]*$/.test(plain) && !plain.includes(".")) plain = plain.replace(",", ".");
  else plain = plain.replaceAll(",", "");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

export function NumberInput(node: TreeNode<"number_input">): HTMLElement {
  const p = node.props,
    { events } = usePage();
  const [problem, setProblem] = createSignal("");
  const [isEditing, setEditing] = createSignal(false);
  const value = () => (typeof p.value === "number" ? p.value : undefined);
  const step = () => p.step ?? stepOf({ min: p.min ?? 0, max: p.max ?? 0 }, [value() ?? 0]);
  const real = () => (p.step || Number.isInteger(step()) ? step() : 0.01);
  const limit = (number: number) =>
    Math.max(p.min ?? -Infinity, Math.min(p.max ?? Infinity, number));
  const shown = () => {
    const now = value();
    if (now === undefined) return "";
    return p.format && !isEditing() ? formatNumber(now, p.format) : String(now);
  };
  const onInput = () => {
    const text = input.value.trim(),
      number = readNumber(text);
    setProblem(text !== "" ? problemOf(number, p.min, p.max) : p.required ? EMPTY : "");
    events.draft(
      node.id,
      text === "" && !p.required ? null : number === undefined ? undefined : limit(number),
    );
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
      type="text"
      inputmode="decimal"
      role="spinbutton"
      id={controlId(node)}
      disabled={p.disabled}
      autocomplete="off"
      placeholder={p.placeholder ?? ""}
      aria-valuenow={value()}
      aria-valuemin={p.min}
      aria-valuemax={p.max}
      aria-valuetext={value() === undefined ? "empty" : shown()}
      aria-invalid={problem() ? "true" : undefined}
      aria-required={p.required || undefined}
      aria-describedby={problemId(node)}
      onInput={onInput}
      onKeyDown={onKey}
      onKeyUp={() => events.flush()}
      onFocus={() => setEditing(true)}
      onBlur={() => {
        setEditing(false);
        finish(() => events.leave(node.id));
        events.flush();
      }}
    />
  ) as HTMLInputElement;
  input.value = shown();
  createRenderEffect(() => {
    const text = shown();
    if (!events.hasDraft(node.id) && input.value !== text) input.value = text;
  });
  return (
    <Field node={node} note={<Problem of={node} text={problem()} />}>
      <span class="input">
        <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>
        {input}
        <span class="steppers">
          <Stepper
            name="minus"
            word="Less"
            off={p.disabled || (value() ?? 0) <= (p.min ?? -Infinity)}
            act={() => add(-1)}
          />
          <Stepper
            name="plus"
            word="More"
            off={p.disabled || (value() ?? 0) >= (p.max ?? Infinity)}
            act={() => add(1)}
          />
        </span>
      </span>
    </Field>
  ) as HTMLElement;
}

function problemOf(
  number: number | undefined,
  least: number | undefined,
  most: number | undefined,
): string {
  if (number === undefined) return "This is not a number.";
  if (least !== undefined && number < least) return `At least ${formatNumber(least)}.`;
  return most !== undefined && number > most ? `At most ${formatNumber(most)}.` : "";
}

/** The arrows are for the pointer; the keyboard has its own in the field. */
function Stepper(props: {
  name: string;
  word: string;
  off: boolean;
  act: () => void;
}): JSX.Element {
  const { events } = usePage();
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    events.flush();
  };
  const repeat = () => {
    if (props.off) return stop();
    props.act();
    timer = window.setTimeout(repeat, REPEAT_EVERY);
  };
  onCleanup(() => clearTimeout(timer));
  return (
    <button
      type="button"
      tabindex="-1"
      aria-label={props.word}
      disabled={props.off}
      onPointerDown={() => {
        clearTimeout(timer);
        timer = window.setTimeout(repeat, REPEAT_AFTER);
      }}
      onPointerUp={stop}
      onPointerLeave={stop}
      onClick={() => {
        props.act();
        events.flush();
      }}
    >
      <Icon name={props.name} />
    </button>
  );
}
