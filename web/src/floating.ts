/*
 * Places a popover beside what it belongs to: below it where there is room, else above, and never
 * outside the window. A popover lies in the top layer, so no box can clip it.
 */

const GAP = 5; /* px */
const EDGE = 8;

export interface Placing {
  above?: boolean /* rather above than below */;
  wide?: boolean /* as wide as the anchor */;
}

export function showFloating(
  floating: HTMLElement,
  anchor: HTMLElement,
  placing: Placing = {},
): void {
  if (!floating.matches(":popover-open")) floating.showPopover();
  place(floating, anchor, placing);
}

export function hideFloating(floating: HTMLElement): void {
  if (floating.matches(":popover-open")) floating.hidePopover();
}

export function place(floating: HTMLElement, anchor: HTMLElement, { above, wide }: Placing): void {
  const at = anchor.getBoundingClientRect();
  const set = (name: string, value: number) =>
    floating.style.setProperty(name, `${Math.round(value)}px`);
  if (wide) set("inline-size", at.width);
  const size = floating.getBoundingClientRect();
  const below = at.bottom + GAP,
    over = at.top - GAP - size.height;
  const fitsBelow = below + size.height <= innerHeight - EDGE,
    fitsAbove = over >= EDGE;
  const isAbove = above ? fitsAbove : !fitsBelow && fitsAbove;
  set("top", isAbove ? over : below);
  const left = wide ? at.left : at.left + at.width / 2 - size.width / 2;
  set("left", Math.max(EDGE, Math.min(left, innerWidth - size.width - EDGE)));
}
