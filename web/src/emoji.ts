/* The short names of emoji, as GitHub knows them: the names of gemoji (MIT), in a file of its own. */
import { nameToEmoji } from "gemoji";

/** The emoji of a name, or undefined. */
export function find(name: string): string | undefined {
  return Object.hasOwn(nameToEmoji, name) ? nameToEmoji[name] : undefined;
}
