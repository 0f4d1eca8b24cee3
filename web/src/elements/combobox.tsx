/* multiselect, and a selectbox into which one may type: a text field that searches a list. */
import {
  createMemo,
  createRenderEffect,
  createSignal,
  For,
  onCleanup,
  Show,
  type JSX,
} from "solid-js";
import { hideFloating, place, showFloating } from "../floating";
import { controlId, Field, Icon, uniqueId } from "../parts";
import { plainText } from "../words";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

export function TypedSelect(node: TreeNode<"selectbox">): HTMLElement {
  const p = node.props,
    { events } = usePage();
  return (
    <Field node={node}>
      <Combobox
        id={controlId(node)}
        label={p.label}
        options={p.options}
        chosen={p.value ? [p.value] : []}
        isSingle={true}
        isOpenEnded={p.accept_new_options}
        filter={p.filter_mode}
        placeholder={p.placeholder}
        disabled={p.disabled}
        set={(labels) => events.set(node.id, labels[0] ?? null)}
      />
    </Field>
  ) as HTMLElement;
}

export function Multiselect(node: TreeNode<"multiselect">): HTMLElement {
  const p = node.props,
    { events } = usePage();
  return (
    <Field
      node={node}
      note={
        <Show when={p.max_selections}>
          {(most) => (
            <Show when={(p.value?.length ?? 0) >= most()}>
              <p class="field-note">{`At most ${most()}.`}</p>
            </Show>
          )}
        </Show>
      }
    >
      <Combobox
        id={controlId(node)}
        label={p.label}
        options={p.options}
        chosen={p.value ?? []}
        isSingle={false}
        isOpenEnded={p.accept_new_options}
        most={p.max_selections}
        filter={p.filter_mode}
        hasAll={p.select_all}
        placeholder={p.placeholder}
        disabled={p.disabled}
        set={(labels) => events.set(node.id, labels)}
      />
    </Field>
  ) as HTMLElement;
}

/* ---- the combobox: a text field that searches a list (ARIA's pattern) ---- */

const MOST_SHOWN = 200; /* options drawn at once; typing narrows the rest */

/** Whether an option is found by a word, both in small letters. */
const FILTERS = {
  contains: (option: string, word: string) => option.includes(word),
  prefix: (option: string, word: string) => option.startsWith(word),
  fuzzy: (option: string, word: string) => {
    let at = 0;
    return [...word].every((letter) => (at = option.indexOf(letter, at) + 1) > 0);
  },
};

interface Row {
  kind: "option" | "new" | "all";
  text: string;
}

interface ComboboxProps {
  id: string;
  label: string;
  options: string[];
  chosen: string[];
  isSingle: boolean;
  isOpenEnded: boolean /* what is typed may be a choice of its own */;
  most?: number;
  filter?: keyof typeof FILTERS;
  hasAll?: boolean /* the list begins with an entry that chooses all */;
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

  const isFull = () =>
    !props.isSingle && props.most !== undefined && props.chosen.length >= props.most;
  const isChosen = (text: string) => props.chosen.includes(text);
  const isAllChosen = () => props.options.every(isChosen);
  const found = createMemo(() => {
    const exact = search().trim(),
      word = exact.toLowerCase(),
      fits = FILTERS[props.filter ?? "contains"];
    const rows: Row[] = [];
    if (props.hasAll && word === "" && props.options.length > 0)
      rows.push({ kind: "all", text: isAllChosen() ? "Choose none" : "Choose all" });
    for (const text of props.options)
      if (fits(text.toLowerCase(), word)) rows.push({ kind: "option", text });
    if (props.isOpenEnded && exact !== "" && !props.options.includes(exact))
      rows.push({ kind: "new", text: exact });
    return rows;
  });
  const shown = createMemo(() => found().slice(0, MOST_SHOWN));
  const placeOf = (text: string | undefined) =>
    Math.max(
      0,
      shown().findIndex((row) => row.kind !== "all" && row.text === text),
    );

  const open = () => {
    if (props.disabled || isOpen()) return;
    setOpen(true);
    setActive(props.isSingle ? placeOf(props.chosen[0]) : 0);
    showFloating(list, box, { wide: true });
  };
  const close = () => {
    setOpen(false);
    setSearch("");
    input.value = "";
    hideFloating(list);
  };
  const moved = () => {
    if (isOpen()) place(list, box, { wide: true });
  };
  addEventListener("scroll", moved, { capture: true, passive: true });
  addEventListener("resize", moved);
  onCleanup(() => {
    removeEventListener("scroll", moved, { capture: true });
    removeEventListener("resize", moved);
  });
  createRenderEffect(() => {
    void props.chosen.length;
    queueMicrotask(moved);
  });

  const chooseAll = () =>
    props.set(
      isAllChosen() ? [] : [...new Set([...props.chosen, ...props.options])].slice(0, props.most),
    );
  const choose = (row: Row | undefined) => {
    if (row === undefined) return;
    if (props.isSingle) {
      props.set([row.text]);
      return close();
    }
    if (row.kind === "all") chooseAll();
    else if (isChosen(row.text)) props.set(props.chosen.filter((one) => one !== row.text));
    else if (!isFull()) props.set([...props.chosen, row.text]);
    setSearch("");
    input.value = "";
    setActive(row.kind === "all" ? 0 : placeOf(row.text));
    input.focus();
  };
  const drop = (option: string) => {
    props.set(props.chosen.filter((one) => one !== option));
    input.focus();
  };

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
      case "ArrowDown":
        event.preventDefault();
        return isOpen() ? go(1) : open();
      case "ArrowUp":
        event.preventDefault();
        return isOpen() ? go(-1) : open();
      case "Enter":
        if (isOpen()) {
          event.preventDefault();
          choose(shown()[active()]);
        }
        return;
      case "Escape":
        if (isOpen()) {
          event.stopPropagation();
          close();
        }
        return;
      case "Backspace":
        if (input.value === "" && last !== undefined && !props.disabled) drop(last);
        return;
    }
  };
  const onInput = () => {
    setSearch(input.value);
    setActive(0);
    open();
    moved();
  };
  const placeholder = () => (props.chosen.length > 0 ? "" : (props.placeholder ?? "Choose"));

  return (
    <>
      <span
        class="input multiselect"
        ref={box}
        onPointerDown={(event) => {
          if ((event.target as Element).closest("button")) return;
          if (event.target !== input) event.preventDefault();
          input.focus();
          if (isOpen() && event.target !== input) close();
          else open();
        }}
      >
        <For each={props.chosen}>
          {(label) => (
            <span class="chip" classList={{ "is-single": props.isSingle }}>
              <span>{label}</span>
              <button
                type="button"
                tabindex="-1"
                disabled={props.disabled}
                aria-label={`Remove ${label}`}
                onClick={() => drop(label)}
              >
                <Icon name="x" />
              </button>
            </span>
          )}
        </For>
        <input
          ref={input}
          id={props.id}
          type="text"
          role="combobox"
          autocomplete="off"
          disabled={props.disabled}
          aria-expanded={isOpen()}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={
            isOpen() && shown().length > 0 ? `${listId}-${active()}` : undefined
          }
          aria-description={
            props.chosen.length > 0 ? `Chosen: ${props.chosen.join(", ")}` : undefined
          }
          placeholder={placeholder()}
          onInput={onInput}
          onKeyDown={onKey}
          onBlur={close}
        />
        <Icon name="chevrons-up-down" />
      </span>
      <div
        class="listbox"
        role="listbox"
        popover="manual"
        id={listId}
        ref={list}
        aria-label={plainText(props.label)}
        aria-multiselectable={props.isSingle ? undefined : "true"}
        onPointerDown={(event) => event.preventDefault()}
      >
        <For
          each={isOpen() ? shown() : []}
          fallback={
            <div class="option-none" role="option" aria-selected="false" aria-disabled="true">
              {props.options.length === 0 ? "Nothing to choose" : "Nothing found"}
            </div>
          }
        >
          {(row, index) => (
            <div
              class="option"
              role="option"
              id={`${listId}-${index()}`}
              classList={{ "is-active": active() === index() }}
              aria-selected={row.kind !== "all" && isChosen(row.text)}
              aria-disabled={
                row.kind !== "all" && isFull() && !isChosen(row.text) ? "true" : undefined
              }
              onClick={() => choose(row)}
              onPointerMove={() => setActive(index())}
            >
              <span classList={{ "is-quiet": row.kind === "all" }}>
                {row.kind === "new" ? "Add " : ""}
                <Found text={row.text} word={search()} />
              </span>
              <Show when={row.kind !== "all" && isChosen(row.text)}>
                <Icon name="check" />
              </Show>
            </div>
          )}
        </For>
        <Show when={isOpen() && found().length > MOST_SHOWN}>
          <div
            class="option-none"
            role="presentation"
          >{`${found().length - MOST_SHOWN} more; type to narrow`}</div>
        </Show>
      </div>
    </>
  );
}

function Found(props: { text: string; word: string }): JSX.Element {
  const at = () =>
    props.word.trim() ? props.text.toLowerCase().indexOf(props.word.trim().toLowerCase()) : -1;
  const end = () => at() + props.word.trim().length;
  return (
    <Show when={at() >= 0} fallback={props.text}>
      {props.text.slice(0, at())}
      <mark>{props.text.slice(at(), end())}</mark>
      {props.text.slice(end())}
    </Show>
  );
}
