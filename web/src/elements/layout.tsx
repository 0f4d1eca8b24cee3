/* Boxes: container, columns, tabs, expander, empty. */
import {
  createEffect,
  createMemo,
  createRenderEffect,
  createSignal,
  For,
  onCleanup,
  Show,
  type JSX,
} from "solid-js";
import { fillWith } from "../children";
import { followHeight, followStyle, Icon, Inline, uniqueId } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

const GAPS: Record<string, string> = {
  none: "0px",
  small: "var(--gap-elements)",
  medium: "var(--space-9)",
  large: "var(--space-12)",
};

function gapOf(gap: unknown): string | undefined {
  return typeof gap === "number" ? `${gap}px` : GAPS[String(gap)];
}

export function Container(node: TreeNode<"container">): HTMLElement {
  const p = node.props;
  const isScrolling = () => typeof p.height === "number";
  const box = (
    <div
      class="box"
      classList={{
        stack: !p.horizontal,
        "is-row": p.horizontal,
        "is-unbroken": !p.wrap,
        card: p.border,
      }}
      data-across={p.horizontal_alignment}
      data-along={p.vertical_alignment}
      tabindex={isScrolling() ? 0 : undefined}
      role={isScrolling() ? "group" : undefined}
      aria-label={isScrolling() ? "Scrolling box" : undefined}
    />
  ) as HTMLElement;
  followStyle(box, "--gap", () => gapOf(p.gap === "small" && p.horizontal ? 8 : p.gap));
  followHeight(box, () => p.height);
  fillWith(box, node);
  createEffect(() => {
    if (p.autoscroll) onCleanup(stayAtEnd(box));
  });
  return box;
}

const NEAR = 24; /* px from the end that count as there */

/** Follow what is added, unless the person has scrolled away from the end. */
function stayAtEnd(box: HTMLElement): () => void {
  let isAtEnd = true;
  const follow = () => {
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  };
  const onScroll = () => {
    isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  };
  const changes = new MutationObserver(follow);
  changes.observe(box, { childList: true, subtree: true, characterData: true });
  box.addEventListener("scroll", onScroll, { passive: true });
  follow();
  return () => {
    changes.disconnect();
    box.removeEventListener("scroll", onScroll);
  };
}

/* ---- columns ---- */

const LEAST: Record<number, number> = {
  1: 200,
  2: 220,
  3: 190,
  4: 150,
}; /* px of one column before they wrap */

/** Metrics side by side are one card, ruled by hairlines. */
export function Columns(node: TreeNode<"columns">): HTMLElement {
  const p = node.props;
  const isMetrics = createMemo(() => {
    const columns = node.children();
    return (
      columns.length > 1 &&
      columns.every((column) => {
        const inside = column.children();
        return inside.length === 1 && inside[0]!.type === "metric";
      })
    );
  });
  const box = (
    <div
      class="columns"
      classList={{
        metrics: isMetrics(),
        "has-cards": p.border && !isMetrics(),
        "is-unbroken": !p.wrap,
      }}
      data-along={p.vertical_alignment}
    />
  ) as HTMLElement;
  followStyle(box, "--gap", () => gapOf(p.gap));
  followStyle(box, "--count", () => String(Math.min(6, node.children().length)));
  followStyle(box, "--least", () => `${LEAST[node.children().length] ?? 120}px`);
  fillWith(box, node);
  return box;
}

export function Column(node: TreeNode<"column">): HTMLElement {
  const box = (<div class="column stack" />) as HTMLElement;
  followStyle(box, "--weight", () => String(node.props.weight));
  fillWith(box, node);
  return box;
}

/* ---- tabs: one in the tab order, arrows move among them ---- */

export function Tabs(node: TreeNode<"tabs">): HTMLElement {
  const p = node.props,
    id = uniqueId("tabs"),
    { events } = usePage();
  const first = () => Math.max(0, p.labels?.indexOf(p.default ?? "") ?? 0);
  const [chosen, setChosen] = createSignal(first());
  const panels = (<div class="tab-panels" />) as HTMLElement;
  fillWith(panels, node);
  followHeight(panels, () => p.height);
  createRenderEffect(() =>
    node.children().forEach((child, index) => {
      const panel = child.view?.element;
      if (!panel) return;
      panel.id = `${id}-panel-${index}`;
      panel.setAttribute("aria-labelledby", `${id}-tab-${index}`);
      panel.hidden = index !== Math.min(chosen(), node.children().length - 1);
    }),
  );
  /* Where the script is told which one is chosen, it may choose too. */
  createRenderEffect(() => {
    if (p.value !== undefined) setChosen(Math.max(0, p.labels.indexOf(p.value)));
  });
  const open = (index: number) => {
    setChosen(index);
    if (p.value !== undefined && p.value !== p.labels[index]) events.set(node.id, p.labels[index]);
  };
  const choose = (index: number, list: HTMLElement) => {
    open(index);
    list.querySelectorAll<HTMLElement>("[role=tab]")[index]?.focus();
  };
  const onKey = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const last = p.labels.length - 1;
    const to = { ArrowRight: chosen() + 1, ArrowLeft: chosen() - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to > last ? 0 : to < 0 ? last : to, event.currentTarget);
  };
  return (
    <div class="tabs-box">
      <div class="tabs" role="tablist" onKeyDown={onKey}>
        <For each={p.labels}>
          {(label, index) => (
            <button
              type="button"
              class="tab"
              role="tab"
              id={`${id}-tab-${index()}`}
              aria-controls={`${id}-panel-${index()}`}
              aria-selected={chosen() === index()}
              tabindex={chosen() === index() ? 0 : -1}
              onClick={() => open(index())}
            >
              <Inline text={label} />
            </button>
          )}
        </For>
      </div>
      {panels}
    </div>
  ) as HTMLElement;
}

export function Tab(node: TreeNode<"tab">): HTMLElement {
  const box = (<div class="tab-panel stack" role="tabpanel" tabindex="0" />) as HTMLElement;
  fillWith(box, node);
  return box;
}

/* ---- expander, empty ---- */

export function Expander(node: TreeNode<"expander">): HTMLElement {
  const p = node.props,
    { events } = usePage();
  const tell = () => {
    if (p.value !== undefined && p.value !== box.open) events.set(node.id, box.open);
  };
  const body = (<div class="expander-body" />) as HTMLElement;
  fillWith(body, node);
  const icon = (): JSX.Element => <Show when={p.icon}>{(name) => <Icon name={name()} />}</Show>;
  const box = (
    <details class="expander" onToggle={tell} data-type={p.type}>
      <summary>
        <Icon name="chevron-right" class="chevron" />
        {icon()}
        <Inline text={p.label} />
      </summary>
      {body}
    </details>
  ) as HTMLDetailsElement;
  createRenderEffect(() => {
    box.open = p.value ?? p.expanded;
  });
  return box;
}

export function Empty(node: TreeNode<"empty">): HTMLElement {
  const box = (<div class="slot stack" />) as HTMLElement;
  fillWith(box, node);
  return box;
}
