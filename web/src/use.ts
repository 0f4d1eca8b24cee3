/* The page that this document shows, for elements that act on it. */
import type { Page } from "./page";

const holder: { page?: Page } = {};

export function setPage(page: Page): void {
  holder.page = page;
}

export function usePage(): Page {
  if (!holder.page) throw new Error("there is no page yet");
  return holder.page;
}
