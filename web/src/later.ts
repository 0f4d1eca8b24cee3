/*
 * The second file of the page: asked for when the page begins, so that it comes while the script
 * runs for the first time. Until it is there, what needs it keeps its place free.
 */
import { createSignal } from "solid-js";

export type Late = typeof import("./late");

const [late, setLate] = createSignal<Late>();

/** What the second file holds, once it is there; an effect that asks is told. */
export { late };

/** Fails when it cannot be had. */
export const coming = import("./late").then((loaded) => {
  setLate(loaded);
});
