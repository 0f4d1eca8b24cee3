/* A number that matters, its change, and a small chart of how it came there. */
import { createMemo, createRenderEffect, Show, type JSX } from "solid-js";
import type { Value } from "../bson";
import { formatValue } from "../format";
import { followHeight, followStyle, Help, Icon, Inline } from "../parts";
import type { MetricProps } from "../elements.gen";
import type { TreeNode } from "../tree";

export function Metric(node: TreeNode<"metric">): HTMLElement {
  const p = node.props;
  const box = (
    <div class="metric" classList={{ card: p.border }}>
      <div class="metric-label" data-visibility={p.label_visibility}>
        <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>
        <Inline text={p.label} />
        <Help text={p.help} of={p.label} />
      </div>
      <Figure value={p.value} format={p.format} />
      <Show when={p.delta !== undefined && p.delta !== null && p.delta !== ""}>
        <Change p={p} />
      </Show>
      <Show when={(p.chart_data?.length ?? 0) > 1}>
        <Sparkline numbers={p.chart_data!} kind={p.chart_type} />
      </Show>
    </div>
  ) as HTMLElement;
  followHeight(box, () => p.height);
  return box;
}

/** Currency signs and units step back a shade. */
const PARTS = /^([^\d\s-]{1,3})?\s?([-−+]?[\d.,\s\u00a0\u202f'’]*\d)(\s?\D{1,12})?$/;

function Figure(props: { value: Value; format: string | undefined }): JSX.Element {
  const parts = createMemo(() => {
    if (props.value === undefined || props.value === null) return ["", "–", ""];
    const text = formatValue(props.value, props.format);
    const match = /^-[^\d]/.test(text) ? null : PARTS.exec(text);
    return match ? [match[1] ?? "", match[2] ?? "", match[3] ?? ""] : ["", text, ""];
  });
  const length = () => parts().join("").length;
  const box = (
    <div class="metric-value" classList={{ "is-long": length() > 7 }}>
      <Show when={parts()[0]}>
        <span class="unit">{parts()[0]}</span>
      </Show>
      {parts()[1]}
      <Show when={parts()[2]}>
        <span class="unit">{parts()[2]}</span>
      </Show>
    </div>
  ) as HTMLElement;
  followStyle(box, "--fit", () => `${Math.round(175 / length())}cqi`);
  return box;
}

type Direction = "up" | "down" | "flat";

function directionOf(delta: Value): Direction {
  const text = String(delta).trim();
  if (/^[-−]/.test(text)) return "down";
  return /^[+]?[0.,\s]*0\D*$/.test(text) ? "flat" : "up";
}

function Change(props: { p: MetricProps }): JSX.Element {
  const direction = createMemo(() => directionOf(props.p.delta));
  const arrow = () => {
    const wanted = props.p.delta_arrow;
    if (wanted === "off") return "flat";
    return wanted === "auto" ? direction() : wanted;
  };
  const text = () => {
    const whole = formatValue(
      props.p.delta,
      typeof props.p.delta === "number" ? props.p.format : undefined,
    );
    return arrow() === "down" && direction() === "down"
      ? whole.trim().replace(/^[-−]\s*/, "")
      : whole.replace(/^\+/, "");
  };
  const tone = () => {
    const colour = props.p.delta_color;
    if (
      colour === "off" ||
      (direction() === "flat" && (colour === "normal" || colour === "inverse"))
    )
      return "flat";
    if (colour === "normal" || colour === "inverse")
      return (direction() === "up") === (colour === "normal") ? "good" : "bad";
    return undefined;
  };
  const colour = () => (tone() === undefined ? props.p.delta_color : undefined);
  return (
    <div class="metric-delta">
      <span class="delta" data-tone={tone()} data-colour={colour()}>
        <Show when={arrow() !== "flat"}>
          <Icon name={`arrow-${arrow()}`} />
          <span class="visually-hidden">{arrow() === "up" ? "up" : "down"} </span>
        </Show>
        {text()}
      </span>
      <Show when={props.p.delta_description}>{(words) => <span>{words()}</span>}</Show>
    </div>
  );
}

/* ---- sparkline: drawn in a box of 100 by 34 that is stretched, its last point beside it ---- */

const HEIGHT = 34,
  TOP = 4,
  BOTTOM = 30;

function Sparkline(props: { numbers: number[]; kind: MetricProps["chart_type"] }): JSX.Element {
  const points = createMemo(() => pointsOf(props.numbers.map(Number).filter(Number.isFinite)));
  const line = () =>
    points()
      .map(([x, y], index) => `${index ? "L" : "M"}${round(x)} ${round(y)}`)
      .join("");
  const dot = (<circle class="mark-point" cx="100%" r="3.5" />) as SVGElement;
  createRenderEffect(() =>
    dot.setAttribute("cy", `${round(((points().at(-1)?.[1] ?? 0) / HEIGHT) * 100)}%`),
  );
  const bars = () => barsOf(props.numbers);
  return (
    <svg class="sparkline" aria-hidden="true" data-series="1">
      <svg viewBox={`0 0 100 ${HEIGHT}`} width="100%" height="100%" preserveAspectRatio="none">
        <Show
          when={props.kind === "bar"}
          fallback={
            <>
              <path
                class="mark-area"
                classList={{ "is-faint": props.kind === "line" }}
                d={`${line()}L100 ${HEIGHT}L0 ${HEIGHT}Z`}
              />
              <path class="mark-line" d={line()} />
            </>
          }
        >
          <path class="mark-bar" d={bars()} />
        </Show>
      </svg>
      <Show when={props.kind !== "bar"}>{dot}</Show>
    </svg>
  );
}

function pointsOf(numbers: number[]): [number, number][] {
  const least = Math.min(...numbers),
    most = Math.max(...numbers);
  const height = (number: number) => (most === least ? 0.5 : (number - least) / (most - least));
  return numbers.map((number, index) => [
    (index / Math.max(1, numbers.length - 1)) * 100,
    BOTTOM - height(number) * (BOTTOM - TOP),
  ]);
}

function barsOf(numbers: number[]): string {
  const least = Math.min(0, ...numbers),
    most = Math.max(0, ...numbers);
  const y = (number: number) => HEIGHT - ((number - least) / (most - least || 1)) * (HEIGHT - TOP);
  const step = 100 / numbers.length,
    width = step * 0.72;
  return numbers
    .map((number, index) => {
      const top = Math.min(y(number), y(0)),
        height = Math.max(1, Math.abs(y(number) - y(0)));
      const left = index * step + (step - width) / 2;
      return `M${round(left)} ${round(top)}h${round(width)}v${round(height)}h${round(-width)}z`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
