/*
 * Puts the children of an element into a box, in their order, and keeps them there.
 *
 * A child's view is made here when it is first needed and belongs to the child, so it survives a
 * move to another box. What stays in order is not touched: the longest run of children that are in
 * order already stays in place, and the one with the focus always. The others are moved with
 * moveBefore where the browser has it, which keeps scroll, focus and animations.
 */
import { createRenderEffect, createRoot, getOwner, untrack, type Owner } from "solid-js";
import { draw } from "./elements";
import type { TreeNode, View } from "./tree";

interface Mover extends HTMLElement {
  moveBefore?(node: Node, before: Node | null): void;
}

export function fillWith(box: HTMLElement, node: TreeNode): void {
  const owner = getOwner();
  createRenderEffect(() => {
    const children = node.children();
    untrack(() =>
      arrange(
        box,
        children.map((child) => (child.view ??= makeView(child, owner)).element),
      ),
    );
  });
}

/** The view outlives the box it was first shown in: the tree ends it with its element. */
function makeView(node: TreeNode, owner: Owner | null): View {
  return createRoot((dispose) => ({ element: draw(node), dispose }), owner && topOf(owner));
}

function topOf(owner: Owner): Owner {
  let top = owner;
  while (top.owner) top = top.owner;
  return top;
}

function arrange(box: Mover, wanted: HTMLElement[]): void {
  const place = new Map<Element, number>(wanted.map((element, index) => [element, index]));
  const present = [...box.children].filter((element) => place.has(element));
  const staying = chooseStaying(present, place);
  let next: HTMLElement | null = null;
  for (let i = wanted.length - 1; i >= 0; i--) {
    const element = wanted[i]!;
    if (!staying.has(element)) put(box, element, next);
    next = element;
  }
}

function put(box: Mover, element: HTMLElement, next: HTMLElement | null): void {
  if (box.moveBefore && element.isConnected && box.isConnected) box.moveBefore(element, next);
  else box.insertBefore(element, next);
}

function chooseStaying(present: Element[], place: Map<Element, number>): Set<Element> {
  const places = present.map((element) => place.get(element)!);
  const pivot = present.findIndex((element) => element.contains(document.activeElement));
  if (pivot < 0) return new Set(longestRise(places).map((i) => present[i]!));
  const middle = places[pivot]!;
  const low = places.map((at, i) => (i < pivot && at < middle ? at : -1));
  const high = places.map((at, i) => (i > pivot && at > middle ? at : -1));
  const indices = [...longestRise(low), pivot, ...longestRise(high)];
  return new Set(indices.map((i) => present[i]!));
}

/** Indices of a longest rising run of numbers; negative ones do not count. */
function longestRise(numbers: number[]): number[] {
  const ends: number[] = []; /* ends[n]: index of the least number that ends a rise of n + 1 */
  const before = new Array<number>(numbers.length).fill(-1);
  numbers.forEach((number, i) => {
    if (number < 0) return;
    let low = 0,
      high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[ends[middle]!]! < number) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[i] = ends[low - 1]!;
    ends[low] = i;
  });
  const rise: number[] = [];
  for (let i = ends.at(-1) ?? -1; i >= 0; i = before[i]!) rise.unshift(i);
  return rise;
}
