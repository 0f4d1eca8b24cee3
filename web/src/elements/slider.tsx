/* A number on a rail, or a range of two: native range inputs, two of them laid over each other. */
import { createMemo, createRenderEffect, Show, type JSX } from "solid-js";
import type { Value } from "../bson";
import { formatDate, formatNumber, placesOf } from "../format";
import { plainText } from "../words";
import { controlId, Field, followStyle, Group } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

type SliderNode = TreeNode<"slider">;

export function Slider(node: SliderNode): HTMLElement {
  const p = node.props;
  const isRange = createMemo(() => Array.isArray(p.value));
  const values = createMemo(() => valuesOf(node));
  const write = (value: number) =>
    isOfDates(node) ? writeDate(node, value) : formatNumber(value, p.format);
  const output = () => <output class="field-value">{values().map(write).join(" – ")}</output>;
  const rail = (
    <span class="slider" classList={{ "is-range": isRange() }}>
      <Show
        when={isRange()}
        fallback={<Thumb node={node} index={0} values={values} write={write} />}
      >
        <Thumb node={node} index={0} values={values} write={write} />
        <Thumb node={node} index={1} values={values} write={write} />
      </Show>
    </span>
  ) as HTMLElement;
  const low = () => numberOf(p.min),
    high = () => numberOf(p.max);
  const share = (value: number) =>
    String(Math.max(0, Math.min(1, (value - low()) / (high() - low() || 1))));
  followStyle(rail, "--from", () => (isRange() ? share(values()[0]!) : "0"));
  followStyle(rail, "--to", () => share(values().at(-1)!));
  const ends = () => (
    <span class="slider-ends" aria-hidden="true">
      <span>{write(low())}</span>
      <span>{write(high())}</span>
    </span>
  );
  /* Which of the two a slider is does not change while it lives: else it is another widget. */
  return (
    isRange() ? (
      <Group node={node} class="slider-field" value={output()}>
        {rail}
        {ends()}
      </Group>
    ) : (
      <Field node={node} class="slider-field" value={output()}>
        {rail}
        {ends()}
      </Field>
    )
  ) as HTMLElement;
}

/* Inside, a date is its milliseconds. */

const DAY = 86_400_000; /* ms */

function isOfDates(node: SliderNode): boolean {
  return node.props.min instanceof Date;
}

function numberOf(value: Value): number {
  return value instanceof Date ? value.getTime() : typeof value === "number" ? value : 0;
}

function valuesOf(node: SliderNode): number[] {
  const { value, min } = node.props;
  return (Array.isArray(value) ? value : [value ?? min]).map(numberOf);
}

function stepBetween(node: SliderNode, values: number[]): number {
  const { min, max, step } = node.props;
  return isOfDates(node)
    ? (step ?? 86_400) * 1000
    : stepOf({ min: numberOf(min), max: numberOf(max), step }, values);
}

function writeDate(node: SliderNode, value: number): string {
  const hasDays = stepBetween(node, []) % DAY === 0;
  return formatDate(new Date(value), node.props.format ?? (hasDays ? "date" : "datetime"), hasDays);
}

export function stepOf(
  p: { min?: number; max?: number; step?: number | undefined },
  values: number[],
): number {
  if (p.step) return p.step;
  const numbers = [p.min ?? 0, p.max ?? 100, ...values];
  return numbers.every(Number.isInteger) ? 1 : ((p.max ?? 100) - (p.min ?? 0)) / 100;
}

function Thumb(props: {
  node: SliderNode;
  index: number;
  values: () => number[];
  write: (value: number) => string;
}): JSX.Element {
  const { node, index } = props,
    p = node.props,
    events = usePage().events;
  const isRange = () => props.values().length > 1;
  const label = () => {
    if (!isRange()) return undefined;
    return `${plainText(p.label)}, ${index === 0 ? "from" : "to"}`;
  };
  const change = (input: HTMLInputElement) => {
    const value = limit(Number(input.value));
    input.value = String(value);
    const pair = [...props.values()];
    pair[index] = value;
    const sent = pair.map((one) => (isOfDates(node) ? new Date(one) : one));
    events.setOften(node.id, isRange() ? sent : sent[0]);
  };
  /** The two thumbs of a range do not pass each other. */
  const limit = (value: number) => {
    const other = props.values()[1 - index];
    const exact = Number(
      value.toFixed(
        Math.min(
          20,
          Math.max(placesOf(stepBetween(node, props.values())), placesOf(numberOf(p.min))),
        ),
      ),
    );
    if (other === undefined) return exact;
    return index === 0 ? Math.min(exact, other) : Math.max(exact, other);
  };
  const input = (
    <input
      type="range"
      id={index === 0 ? controlId(node) : undefined}
      disabled={p.disabled}
      aria-label={label()}
      aria-valuetext={props.write(props.values()[index] ?? 0)}
      onInput={(event) => change(event.currentTarget)}
      onChange={() => events.flush()}
    />
  ) as HTMLInputElement;
  createRenderEffect(() => {
    input.min = String(numberOf(p.min));
    input.max = String(numberOf(p.max));
    input.step = String(stepBetween(node, props.values()));
    input.value = String(props.values()[index] ?? numberOf(p.min));
  });
  return input;
}
