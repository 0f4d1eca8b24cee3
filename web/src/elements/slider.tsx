/* A number on a rail, or a range of two: native range inputs, two of them laid over each other. */
import { createMemo, createRenderEffect, Show, type JSX } from "solid-js";
import { formatNumber, placesOf } from "../format";
import { plainText } from "../words";
import { controlId, Field, followStyle, Group } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

type SliderNode = TreeNode<"slider">;

export function Slider(node: SliderNode): HTMLElement {
  const p = node.props;
  const isRange = createMemo(() => Array.isArray(p.value));
  const values = createMemo(() => valuesOf(node));
  const write = (value: number) => formatNumber(value, p.format);
  const output = () => <output class="field-value">{values().map(write).join(" – ")}</output>;
  const rail = (
    <span class="slider" classList={{ "is-range": isRange() }}>
      <Show when={isRange()} fallback={<Thumb node={node} index={0} values={values} write={write} />}>
        <Thumb node={node} index={0} values={values} write={write} />
        <Thumb node={node} index={1} values={values} write={write} />
      </Show>
    </span>
  ) as HTMLElement;
  const share = (value: number) => String(Math.max(0, Math.min(1, (value - p.min) / (p.max - p.min || 1))));
  followStyle(rail, "--from", () => (isRange() ? share(values()[0]!) : "0"));
  followStyle(rail, "--to", () => share(values().at(-1)!));
  const ends = () => <span class="slider-ends" aria-hidden="true"><span>{write(p.min)}</span><span>{write(p.max)}</span></span>;
  /* Which of the two a slider is does not change while it lives: another value shape is another widget. */
  return (
    isRange()
      ? <Group node={node} class="slider-field" value={output()}>{rail}{ends()}</Group>
      : <Field node={node} class="slider-field" value={output()}>{rail}{ends()}</Field>
  ) as HTMLElement;
}

function valuesOf(node: SliderNode): number[] {
  const value = node.props.value;
  if (Array.isArray(value)) return [Number(value[0] ?? node.props.min), Number(value[1] ?? node.props.max)];
  return [typeof value === "number" ? value : node.props.min];
}

export function stepOf(p: { min?: number; max?: number; step?: number }, values: number[]): number {
  if (p.step) return p.step;
  const numbers = [p.min ?? 0, p.max ?? 100, ...values];
  return numbers.every(Number.isInteger) ? 1 : ((p.max ?? 100) - (p.min ?? 0)) / 100;
}

function Thumb(props: { node: SliderNode; index: number; values: () => number[]; write: (value: number) => string }): JSX.Element {
  const { node, index } = props, p = node.props, events = usePage().events;
  const isRange = () => props.values().length > 1;
  const label = () => {
    if (!isRange()) return undefined;
    return `${plainText(p.label)}, ${index === 0 ? "from" : "to"}`;
  };
  const change = (input: HTMLInputElement, isLast: boolean) => {
    const value = limit(Number(input.value));
    input.value = String(value);
    const pair = [...props.values()];
    pair[index] = value;
    events.setOften(node.id, isRange() ? pair : value);
    if (isLast) events.flush();
  };
  /** The two thumbs of a range do not pass each other. */
  const limit = (value: number) => {
    const other = props.values()[1 - index];
    const exact = Number(value.toFixed(Math.min(20, Math.max(placesOf(stepOf(p, props.values())), placesOf(p.min)))));
    if (other === undefined) return exact;
    return index === 0 ? Math.min(exact, other) : Math.max(exact, other);
  };
  const input = (
    <input
      type="range" id={index === 0 ? controlId(node) : undefined} disabled={p.disabled} aria-label={label()}
      aria-valuetext={props.write(props.values()[index] ?? 0)}
      onInput={(event) => change(event.currentTarget, false)} onChange={(event) => change(event.currentTarget, true)}
    />
  ) as HTMLInputElement;
  createRenderEffect(() => {
    input.min = String(p.min);
    input.max = String(p.max);
    input.step = String(stepOf(p, props.values()));
    input.value = String(props.values()[index] ?? p.min);
  });
  return input;
}
