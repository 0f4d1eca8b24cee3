/* selectbox: the native select. One may type into the other one, of combobox.tsx. */
import { createRenderEffect, For, Show } from "solid-js";
import { controlId, Field, Icon } from "../parts";
import type { TreeNode } from "../tree";
import { usePage } from "../use";

export function Selectbox(node: TreeNode<"selectbox">): HTMLElement {
  const p = node.props,
    { events } = usePage();
  const hasNone = () => p.value === undefined || p.value === null;
  const select = (
    <select
      id={controlId(node)}
      disabled={p.disabled}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      <Show when={hasNone()}>
        <option value="" disabled hidden>
          {p.placeholder ?? "Choose"}
        </option>
      </Show>
      <For each={p.options}>
        {(option, index) => <option value={String(index())}>{option}</option>}
      </For>
    </select>
  ) as HTMLSelectElement;
  const choose = (index: string) => {
    if (index !== "") events.set(node.id, p.options[Number(index)]);
  };
  createRenderEffect(() => {
    const index = p.options.indexOf(p.value ?? "");
    queueMicrotask(() => {
      select.value = index < 0 ? "" : String(index);
    });
    select.value = index < 0 ? "" : String(index);
  });
  return (
    <Field node={node}>
      <span class="input select" classList={{ "is-unset": hasNone() }}>
        {select}
        <Icon name="chevrons-up-down" />
      </span>
    </Field>
  ) as HTMLElement;
}
