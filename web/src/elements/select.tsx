/* selectbox: the native select. With accept_new_options it is the combobox that multiselect is too. */
import { createRenderEffect, createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { hideFloating, place, showFloating } from "../floating";
import { controlId, Field, Icon, uniqueId } from "../parts";
import { plainText } from "../markdown";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

export function Selectbox(node: TreeNode<"selectbox">): HTMLElement {
  if (node.props.accept_new_options) return openSelect(node);
  const p = node.props, { events } = usePage();
  const hasNone = () => p.value === undefined || p.value === null;
  const select = (
    <select id={controlId(node)} disabled={p.disabled} onChange={(event) => choose(event.currentTarget.value)}>
      <Show when={hasNone()}><option value="" disabled hidden>{p.placeholder ?? "Choose"}</option></Show>
      <For each={p.options}>{(option, index) => <option value={String(index())}>{option}</option>}</For>
    </select>
  ) as HTMLSelectElement;
  const choose = (index: string) => { if (index !== "") events.set(node.id, p.options[Number(index)]); };
  createRenderEffect(() => {
    const index = p.options.indexOf(p.value ?? "");
    queueMicrotask(() => { select.value = index < 0 ? "" : String(index); });
    select.value = index < 0 ? "" : String(index);
  });
  return (
    <Field node={node}>
      <span class="input select" classList={{ "is-unset": hasNone() }}>{select}<Icon name="chevrons-up-down" /></span>
    </Field>
  ) as HTMLElement;
}

function openSelect(node: TreeNode<"selectbox">): HTMLElement {
  const p = node.props, { events } = usePage();
  return (
    <Field node={node}>
      <Combobox
        id={controlId(node)} label={p.label} options={p.options} chosen={p.value ? [p.value] : []} isSingle={true}
        isOpenEnded={true} placeholder={p.placeholder} disabled={p.disabled}
        set={(labels) => events.set(node.id, labels[0] ?? null)}
      />
    </Field>
  ) as HTMLElement;
}

export function Multiselect(node: TreeNode<"multiselect">): HTMLElement {
  const p = node.props, { events } = usePage();
  return (
    <Field node={node} note={<Show when={p.max_selections}>{(most) => (
      <Show when={(p.value?.length ?? 0) >= most()}><p class="field-note">{`At most ${most()}.`}</p></Show>
    )}</Show>}>
      <Combobox
        id={controlId(node)} label={p.label} options={p.options} chosen={p.value ?? []} isSingle={false}
        isOpenEnded={p.accept_new_options} most={p.max_selections} placeholder={p.placeholder} disabled={p.disabled}
        set={(labels) => events.set(node.id, labels)}
      />
    </Field>
  ) as HTMLElement;
}

/* ---- the combobox: a text field that searches a list (ARIA's pattern) ---- */

const MOST_SHOWN = 200; /* options drawn at once; typing narrows the rest */

interface ComboboxProps {
  id: string;
  label: string;
  options: string[];
  chosen: string[];
  isSingle: boolean;
  isOpenEnded: boolean; /* what is typed may be a choice of its own */
  most?: number;
  placeholder?: string;
  disabled: boolean;
  set: (labels: string[]) => void;
}

function Combobox(props: ComboboxProps): JSX.Element {
  const listId = uniqueId("choices");
  const [search, setSearch] = createSignal("");
  const [isOpen, setOpen] = createSignal(false);
  const [active, setActive] = createSignal(0);
  let box!: HTMLSpanElement, input!: HTMLInputElement, list!: HTMLDivElement;

  const isFull = () => !props.isSingle && props.most !== undefined && props.chosen.length >= props.most;
  const found = () => {
    const word = search().trim().toLowerCase();
    const options = props.options.filter((option) => option.toLowerCase().includes(word));
    const exact = search().trim();
    const isNew = props.isOpenEnded && exact !== "" && !props.options.includes(exact);
    return isNew ? [...options, exact] : options;
  };
  const shown = () => found().slice(0, MOST_SHOWN);
  const isNew = (option: string) => !props.options.includes(option);

  const open = () => {
    if (props.disabled || isOpen()) return;
    setOpen(true);
    setActive(Math.max(0, props.isSingle ? shown().indexOf(props.chosen[0] ?? "") : 0));
    showFloating(list, box, { wide: true });
  };
  const close = () => { setOpen(false); setSearch(""); input.value = ""; hideFloating(list); };
  const moved = () => { if (isOpen()) place(list, box, { wide: true }); };
  addEventListener("scroll", moved, { capture: true, passive: true });
  addEventListener("resize", moved);
  onCleanup(() => { removeEventListener("scroll", moved, { capture: true }); removeEventListener("resize", moved); });
  createRenderEffect(() => { void props.chosen.length; queueMicrotask(moved); });

  const choose = (option: string | undefined) => {
    if (option === undefined) return;
    if (props.isSingle) { props.set([option]); return close(); }
    if (props.chosen.includes(option)) props.set(props.chosen.filter((one) => one !== option));
    else if (!isFull()) props.set([...props.chosen, option]);
    setSearch("");
    input.value = "";
    setActive(Math.max(0, shown().indexOf(option)));
    input.focus();
  };
  const drop = (option: string) => { props.set(props.chosen.filter((one) => one !== option)); input.focus(); };

  const go = (by: number) => {
    open();
    const count = shown().length;
    if (count === 0) return;
    setActive((active() + by + count) % count);
    list.children[active()]?.scrollIntoView({ block: "nearest" });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const last = props.chosen.at(-1);
    switch (event.key) {
      case "ArrowDown": event.preventDefault(); return isOpen() ? go(1) : open();
      case "ArrowUp": event.preventDefault(); return isOpen() ? go(-1) : open();
      case "Enter": if (isOpen()) { event.preventDefault(); choose(shown()[active()]); } return;
      case "Escape": if (isOpen()) { event.stopPropagation(); close(); } return;
      case "Backspace": if (input.value === "" && last !== undefined && !props.disabled) drop(last); return;
    }
  };
  const onInput = () => { setSearch(input.value); setActive(0); open(); moved(); };
  const placeholder = () => (props.chosen.length > 0 ? "" : (props.placeholder ?? "Choose"));

  return (
    <>
      <span class="input multiselect" ref={box} onPointerDown={(event) => {
        if ((event.target as Element).closest("button")) return;
        if (event.target !== input) event.preventDefault();
        input.focus();
        if (isOpen() && event.target !== input) close();
        else open();
      }}>
        <For each={props.chosen}>{(label) => (
          <span class="chip" classList={{ "is-single": props.isSingle }}>{label}
            <button type="button" tabindex="-1" disabled={props.disabled} aria-label={`Remove ${label}`} onClick={() => drop(label)}><Icon name="x" /></button>
          </span>
        )}</For>
        <input
          ref={input} id={props.id} type="text" role="combobox" autocomplete="off" disabled={props.disabled}
          aria-expanded={isOpen()} aria-controls={listId} aria-autocomplete="list"
          aria-activedescendant={isOpen() && shown().length > 0 ? `${listId}-${active()}` : undefined}
          aria-description={props.chosen.length > 0 ? `Chosen: ${props.chosen.join(", ")}` : undefined}
          placeholder={placeholder()} onInput={onInput} onKeyDown={onKey} onBlur={close}
        />
        <Icon name="chevrons-up-down" />
      </span>
      <div
        class="listbox" role="listbox" popover="manual" id={listId} ref={list} aria-label={plainText(props.label)}
        aria-multiselectable={props.isSingle ? undefined : "true"} onPointerDown={(event) => event.preventDefault()}
      >
        <For each={isOpen() ? shown() : []} fallback={<div class="option-none" role="option" aria-selected="false" aria-disabled="true">{props.options.length === 0 ? "Nothing to choose" : "Nothing found"}</div>}>{(option, index) => (
          <div
            class="option" role="option" id={`${listId}-${index()}`} classList={{ "is-active": active() === index() }}
            aria-selected={props.chosen.includes(option)} aria-disabled={isFull() && !props.chosen.includes(option) ? "true" : undefined}
            onClick={() => choose(option)} onPointerMove={() => setActive(index())}
          >
            <span>{isNew(option) ? "Add " : ""}<Found text={option} word={search()} /></span>
            <Show when={props.chosen.includes(option)}><Icon name="check" /></Show>
          </div>
        )}</For>
        <Show when={isOpen() && found().length > MOST_SHOWN}>
          <div class="option-none" role="presentation">{`${found().length - MOST_SHOWN} more; type to narrow`}</div>
        </Show>
      </div>
    </>
  );
}

function Found(props: { text: string; word: string }): JSX.Element {
  const at = () => (props.word.trim() ? props.text.toLowerCase().indexOf(props.word.trim().toLowerCase()) : -1);
  const end = () => at() + props.word.trim().length;
  return (
    <Show when={at() >= 0} fallback={props.text}>
      {props.text.slice(0, at())}<mark>{props.text.slice(at(), end())}</mark>{props.text.slice(end())}
    </Show>
  );
}
