/*
 * Which session this tab presents: a secret in sessionStorage, which F5 keeps. A duplicated tab
 * gets a copy of it, so the tab that uses a secret holds a lock of its name; who does not get the
 * lock starts a session of its own. Without locks (an insecure origin) the host asks the old page.
 */

const KEY = `moonlit:${new URL(".", document.baseURI).pathname}`;
const PAUSE = 50; /* ms */

/* How often the lock is asked for: after F5 the old page may hold it for a while, and goes. A copy of
   a tab is no reload, and soon takes a session of its own. */
const PATIENCE = isReload() ? 100 : 6;

function isReload(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "reload";
}

export async function recallSession(): Promise<string | undefined> {
  const secret = read();
  if (!secret) return undefined;
  for (let i = 0; i < PATIENCE; i++) {
    if (await hold(secret)) return secret;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return undefined;
}

export function rememberSession(secret: string): void {
  if (read() === secret) return;
  try {
    sessionStorage.setItem(KEY, secret);
  } catch {
    /* a page that may not store starts anew */
  }
  void hold(secret);
}

function read(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Take the lock until the page goes; whether we have it. */
function hold(secret: string): Promise<boolean> {
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    locks
      .request(`${KEY}:${secret}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(() => {}) : undefined;
      })
      .catch(() => resolve(true));
  });
}

/** A text that no other page load has. */
export function makeLoad(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
