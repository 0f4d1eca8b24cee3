/* Text: markdown, the three headings, caption, plain text, divider, badge. */
import { createRenderEffect, onMount, Show, type JSX } from "solid-js";
import { Dynamic } from "solid-js/web";
import { plainText } from "../words";
import { Help, Icon, Inline, Prose, uniqueId } from "../parts";
import type { TreeNode } from "../tree";

export function Markdown(node: TreeNode<"markdown">): HTMLElement {
  const p = node.props;
  return (
    <div class="markdown" data-align={p.text_alignment} classList={{ "is-unbroken": !p.wrap }}>
      <Prose text={p.body} heading={p.anchors ? addAnchor : undefined} />
      <Help text={p.help} of="this text" />
    </div>
  ) as HTMLElement;
}

function addAnchor(heading: HTMLElement): void {
  const text = heading.textContent ?? "";
  heading.id = uniqueId(slugOf(text));
  heading.append((<Anchor to={heading.id} of={text} />) as HTMLElement);
}

function Anchor(props: { to: string; of: string }): JSX.Element {
  return (
    <a class="anchor" href={`#${props.to}`} aria-label={`Link to ${props.of}`}>
      <Icon name="link" />
    </a>
  );
}

export function Caption(node: TreeNode<"caption">): HTMLElement {
  const p = node.props;
  return (
    <div class="markdown caption" data-align={p.text_alignment}>
      <Prose text={p.body} />
      <Help text={p.help} of="this text" />
    </div>
  ) as HTMLElement;
}

export function PlainText(node: TreeNode<"text">): HTMLElement {
  const p = node.props;
  return (
    <div class="markdown" data-align={p.text_alignment}>
      <div class="plain-text">{p.body}</div>
      <Help text={p.help} of="this text" />
    </div>
  ) as HTMLElement;
}

/* ---- headings ---- */

export function Title(node: TreeNode<"title">): HTMLElement {
  return heading(node, "h1", "title");
}

export function Header(node: TreeNode<"header">): HTMLElement {
  return heading(node, "h2", "header", () => node.props.divider);
}

export function Subheader(node: TreeNode<"subheader">): HTMLElement {
  return heading(node, "h3", "subheader", () => node.props.divider);
}

const COLOURS = ["blue", "green", "orange", "red", "violet", "gray"];
const cycle = { next: 0 };

function heading(
  node: TreeNode<"title" | "header" | "subheader">,
  tag: string,
  name: string,
  divider: () => unknown = () => undefined,
): HTMLElement {
  const p = node.props;
  const own = COLOURS[cycle.next % COLOURS.length];
  const colour = () =>
    divider() === true ? own : typeof divider() === "string" ? (divider() as string) : undefined;
  createRenderEffect((had: boolean) => {
    if (divider() === true && !had) cycle.next++;
    return had || divider() === true;
  }, false);
  const slug = uniqueId(typeof p.anchor === "string" ? p.anchor : slugOf(p.body));
  const box = (
    <div
      class={`heading is-${name}`}
      data-align={p.text_alignment}
      data-colour={colour()}
      classList={{ "has-divider": colour() !== undefined }}
    >
      <Dynamic component={tag} class={name} id={slug} tabindex="-1">
        <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>
        <Inline text={p.body} />
      </Dynamic>
      <Help text={p.help} of={p.body} />
      <Show when={p.anchor !== false}>
        <Anchor to={slug} of={plainText(p.body)} />
      </Show>
    </div>
  ) as HTMLElement;
  onMount(() => {
    if (location.hash === `#${slug}`) box.scrollIntoView();
  });
  return box;
}

/* The names of emoji are left out, so that the slug is the same before and after they are drawn. */
function slugOf(text: string): string {
  const letters = plainText(String(text)).replace(/:[\w+-]+:/g, "");
  const words = letters.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  return words.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "section";
}

/* ---- divider, badge ---- */

export function Divider(): HTMLElement {
  return (<hr class="divider" />) as HTMLElement;
}

export function Badge(node: TreeNode<"badge">): HTMLElement {
  const p = node.props;
  const icon = (): JSX.Element => <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>;
  return (
    <div class="badge-box">
      <span class="badge" data-colour={p.color === "grey" ? "gray" : p.color}>
        {icon()}
        <Inline text={p.label} />
      </span>
      <Help text={p.help} of={p.label} />
    </div>
  ) as HTMLElement;
}
