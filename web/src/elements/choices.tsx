/* Button, checkbox, toggle, radio: what is pressed or ticked. */
import { createRenderEffect, For, onCleanup, Show, type JSX } from "solid-js";
import { controlId, Group, Help, Icon, Inline } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

export function Button(node: TreeNode<"button">): HTMLElement {
  const p = node.props,
    page = usePage();
  const press = () => {
    if (!p.disabled) page.events.press(node.id);
  };
  const icon = (side: string): JSX.Element => (
    <Show when={p.icon && p.icon_position === side}>
      <Icon name={p.icon!} />
    </Show>
  );
  const box = (
    <div class="button-box" classList={{ "is-unbroken": !p.wrap }}>
      <button
        type="button"
        class="button"
        data-kind={p.type}
        id={controlId(node)}
        disabled={p.disabled}
        aria-keyshortcuts={ariaShortcut(p.shortcut)}
        title={p.shortcut}
        onClick={press}
      >
        {icon("left")}
        <Inline text={p.label} />
        {icon("right")}
      </button>
      <Help text={p.help} of={p.label} />
    </div>
  ) as HTMLElement;
  listenForShortcut(
    () => p.shortcut,
    () => {
      if (!page.isWaiting()) press();
    },
  );
  return box;
}

function listenForShortcut(shortcut: () => string | undefined, act: () => void): void {
  const onKey = (event: KeyboardEvent) => {
    const keys = shortcut();
    if (!keys || event.repeat || !matchesShortcut(keys, event)) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", onKey);
  onCleanup(() => removeEventListener("keydown", onKey));
}

/** "Ctrl+Shift+S": Ctrl is the command key on a Mac too. A bare letter is for who does not type. */
function matchesShortcut(shortcut: string, event: KeyboardEvent): boolean {
  const parts = shortcut.split("+").map((part) => part.trim().toLowerCase());
  const key = parts.pop() || "+";
  const wants = (...names: string[]) => parts.some((part) => names.includes(part));
  const wantsControl = wants("ctrl", "control", "cmd", "command", "meta", "mod");
  if (wantsControl !== (event.ctrlKey || event.metaKey) || wants("alt", "option") !== event.altKey)
    return false;
  if (wants("shift") !== event.shiftKey && (wants("shift") || /^[a-z0-9]$|^.{2,}$/.test(key)))
    return false;
  if (!wantsControl && !event.altKey && isTyping(event.target)) return false;
  const names: Record<string, string> = {
    enter: "enter",
    esc: "escape",
    space: " ",
    up: "arrowup",
    down: "arrowdown",
    left: "arrowleft",
    right: "arrowright",
  };
  return event.key.toLowerCase() === (names[key] ?? key);
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]")
  );
}

function ariaShortcut(shortcut: string | undefined): string | undefined {
  return shortcut?.replace(/\b(ctrl|cmd|command|mod)\b/gi, "Control").replace(/\s/g, "");
}

/* ---- checkbox and toggle ---- */

export function Checkbox(node: TreeNode<"checkbox" | "toggle">): HTMLElement {
  const p = node.props,
    events = usePage().events;
  const input = (
    <input
      type="checkbox"
      id={controlId(node)}
      disabled={p.disabled}
      role={node.type === "toggle" ? "switch" : undefined}
      onChange={(event) => events.set(node.id, event.currentTarget.checked)}
    />
  ) as HTMLInputElement;
  createRenderEffect(() => {
    input.checked = p.value === true;
  });
  return (
    <div class="choice-box">
      <label class="choice">
        {input}
        <Inline class={`choice-label is-${p.label_visibility}`} text={p.label} />
      </label>
      <Help text={p.help} of={p.label} />
    </div>
  ) as HTMLElement;
}

/* ---- radio ---- */

export function Radio(node: TreeNode<"radio">): HTMLElement {
  const p = node.props;
  const chosen = () => p.options.indexOf(p.value ?? "");
  return (
    <Group node={node} role="radiogroup">
      <div class="choices" classList={{ "is-horizontal": p.horizontal }}>
        <For each={p.options}>
          {(option, index) => (
            <RadioChoice
              node={node}
              option={option}
              isChosen={() => chosen() === index()}
              caption={() => p.captions?.[index()]}
            />
          )}
        </For>
      </div>
    </Group>
  ) as HTMLElement;
}

function RadioChoice(props: {
  node: TreeNode<"radio">;
  option: string;
  isChosen: () => boolean;
  caption: () => string | undefined;
}): JSX.Element {
  const events = usePage().events,
    p = props.node.props;
  const input = (
    <input
      type="radio"
      name={controlId(props.node)}
      disabled={p.disabled}
      onChange={(event) => {
        if (event.currentTarget.checked) events.set(props.node.id, props.option);
      }}
    />
  ) as HTMLInputElement;
  createRenderEffect(() => {
    input.checked = props.isChosen();
  });
  return (
    <label class="choice">
      {input}
      <span>
        <Inline text={props.option} />
        <Show when={props.caption()}>{(text) => <Inline class="choice-note" text={text()} />}</Show>
      </span>
    </label>
  );
}
