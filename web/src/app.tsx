/* The frame around a page: sidebar or drawer, top bar, what floats, and the foot. */
import { createEffect, createMemo, createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { fillWith } from "./children";
import { isTyping } from "./elements/choices";
import { Failure, ToastCard } from "./elements/status";
import { formatTime } from "./format";
import type { Page } from "./page";
import { Icon } from "./parts";
import { theme } from "./theme";
import type { TreeNode } from "./tree";

const NOTICE_TIME = 6000; /* ms */

export function App(props: { page: Page }): JSX.Element {
  const { page } = props,
    { tree } = page;
  const hasSidebar = createMemo(() => tree.sidebar.children().length > 0);
  listenForRerun(page);
  holdWhileWaiting(page);
  createEffect(() => {
    if (page.app()) document.title = titleOf(page.app());
  });
  return (
    <>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to the page
      </a>
      <Moonrise page={page} />
      <div class="app" classList={{ "has-sidebar": hasSidebar(), "is-offline": page.isWaiting() }}>
        <Show when={hasSidebar()}>
          <TopBar page={page} />
          <Sidebar page={page} />
        </Show>
        <div class="main-column">
          <main class="main" id="main" tabindex="-1">
            <Show when={page.isDrawn()} fallback={<Skeleton />}>
              <Filled node={tree.main} class="page" />
            </Show>
          </main>
          <Show when={tree.bottom.children().length > 0}>
            <div class="bottom" role="region" aria-label="Bottom of the page">
              <Filled node={tree.bottom} class="page" />
            </div>
          </Show>
          <Show when={!hasSidebar() && page.isDrawn()}>
            <footer class="page-foot">
              <Foot page={page} />
            </footer>
          </Show>
        </div>
      </div>
      <div class="toasts" role="region" aria-label="Notices" aria-live="polite">
        <Filled node={tree.event} class="toast-list" />
        <For each={page.notices.list()}>
          {(notice) => (
            <ToastCard
              text={notice.text}
              time={notice.time ?? NOTICE_TIME}
              icon={notice.icon ?? "info"}
              tone={notice.kind === "error" ? "bad" : notice.icon ? undefined : "info"}
              onClose={() => page.notices.drop(notice)}
            />
          )}
        </For>
      </div>
      <Connection page={page} />
      <Show when={page.broken()}>{(broken) => <BrokenScript broken={broken()} />}</Show>
    </>
  );
}

function Filled(props: { node: TreeNode; class: string }): JSX.Element {
  const box = (<div class={props.class} />) as HTMLElement;
  fillWith(box, props.node);
  return box;
}

/* ---- names ---- */

function titleOf(app: string): string {
  const bare = app
    .replace(/^.*\//, "")
    .replace(/\.lua$/, "")
    .replaceAll(/[_-]+/g, " ")
    .trim();
  return bare ? bare[0]!.toUpperCase() + bare.slice(1) : "Moonlit";
}

function Mark(): JSX.Element {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-night" width="32" height="32" rx="9" />
      <path class="mark-moon" d="M8.5 20a7.5 7.5 0 0 1 15 0z" />
      <path class="mark-sea" d="M6 23h20M10.5 26h11" />
    </svg>
  );
}

/* ---- sidebar ---- */

function Sidebar(props: { page: Page }): JSX.Element {
  return (
    <aside class="sidebar" id="sidebar" popover aria-label="Sidebar">
      <div class="sidebar-body">
        <div class="brand">
          <Mark />
          <span>
            <span class="brand-name">{titleOf(props.page.app())}</span>
            <span class="brand-file">{fileOf(props.page.app())}</span>
          </span>
          <button
            type="button"
            class="icon-button drawer-close"
            popovertarget="sidebar"
            popovertargetaction="hide"
            aria-label="Close the sidebar"
          >
            <Icon name="x" />
          </button>
        </div>
        <Filled node={props.page.tree.sidebar} class="sidebar-group" />
      </div>
      <div class="sidebar-foot">
        <Foot page={props.page} />
      </div>
    </aside>
  );
}

function fileOf(app: string): string {
  const name = app.replace(/^.*\//, "");
  return name.endsWith(".lua") ? name : `${name}.lua`;
}

function TopBar(props: { page: Page }): JSX.Element {
  return (
    <header class="topbar">
      <button
        type="button"
        class="icon-button"
        popovertarget="sidebar"
        aria-label="Open the sidebar"
      >
        <Icon name="menu" />
      </button>
      <span class="brand">
        <Mark />
        <span class="brand-name">{titleOf(props.page.app())}</span>
      </span>
      <ThemeSwitch />
    </header>
  );
}

function Foot(props: { page: Page }): JSX.Element {
  const { page } = props;
  return (
    <>
      <span class="number">{ranIn(page.progress.took())}</span>
      <button
        type="button"
        class="icon-button is-small"
        aria-label="Run again"
        title="Run again (R)"
        aria-keyshortcuts="R"
        onClick={() => page.events.rerun()}
      >
        <Icon name="refresh-cw" />
      </button>
      <ThemeSwitch />
    </>
  );
}

function ranIn(ms: number | undefined): string {
  if (ms === undefined) return "Moonlit";
  return ms < 1000
    ? `Ran in ${ms < 10 ? Math.max(0.1, ms).toFixed(1) : Math.round(ms)} ms`
    : `Ran in ${formatTime(ms)}`;
}

const THEMES = { system: "sun-moon", light: "sun", dark: "moon" };

function ThemeSwitch(): JSX.Element {
  const word = () => (theme.choice() === "system" ? "as the system" : theme.choice());
  return (
    <button
      type="button"
      class="icon-button is-small"
      aria-label={`Theme: ${word()}`}
      title={`Theme: ${word()}`}
      onClick={() => theme.next()}
    >
      <Icon name={THEMES[theme.choice()]} />
    </button>
  );
}

/* ---- while the script runs ---- */

function Moonrise(props: { page: Page }): JSX.Element {
  const { page } = props;
  return (
    <>
      <Show when={page.progress.isLong()}>
        <div class="moonrise" aria-hidden="true" />
        <button type="button" class="button is-small stop" onClick={() => page.events.stop()}>
          <Icon name="square" />
          Stop
        </button>
      </Show>
      <span class="visually-hidden" role="status">
        {page.progress.isLong() ? "Running" : ""}
      </span>
    </>
  );
}

function listenForRerun(page: Page): void {
  const onKey = (event: KeyboardEvent) => {
    const isPlain =
      !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && !event.repeat;
    if (
      event.defaultPrevented ||
      !isPlain ||
      event.key !== "r" ||
      isTyping(event.target) ||
      page.isWaiting()
    )
      return;
    page.events.rerun();
  };
  addEventListener("keydown", onKey);
  onCleanup(() => removeEventListener("keydown", onKey));
}

/* ---- without a connection: the page stays as it was, and its controls wait ---- */

/* Reading, folding, tabs and copying need no host. */
const WAITING = ".button, .input, .choice, .slider, .steppers, .chip";
const FREE_KEYS = new Set(["Tab", "Escape", "Shift", "Control", "Alt", "Meta", "F5"]);

function holdWhileWaiting(page: Page): void {
  const isHeld = (event: Event) =>
    page.isWaiting() &&
    event.target instanceof Element &&
    event.target.closest(".app") !== null &&
    event.target.closest(WAITING) !== null;
  const hold = (event: Event) => {
    if (!isHeld(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onKey = (event: KeyboardEvent) => {
    if (!FREE_KEYS.has(event.key) && !event.ctrlKey && !event.metaKey) hold(event);
  };
  const kinds = ["pointerdown", "mousedown", "click", "beforeinput", "paste", "drop"];
  for (const kind of kinds) addEventListener(kind, hold, { capture: true });
  addEventListener("keydown", onKey, { capture: true });
  onCleanup(() => {
    for (const kind of kinds) removeEventListener(kind, hold, { capture: true });
    removeEventListener("keydown", onKey, { capture: true });
  });
  createEffect(() => {
    const isWaiting = page.isWaiting();
    for (const control of document.querySelectorAll(".app :is(input, select, textarea, .button)")) {
      if (isWaiting) control.setAttribute("aria-disabled", "true");
      else control.removeAttribute("aria-disabled");
    }
  });
}

function Connection(props: { page: Page }): JSX.Element {
  const { page } = props,
    { connection } = page;
  const [now, setNow] = createSignal(Date.now());
  const ticker = setInterval(() => setNow(Date.now()), 500);
  onCleanup(() => clearInterval(ticker));
  const seconds = () => Math.max(0, Math.ceil((connection.nextTry() - now()) / 1000));
  const isElsewhere = () => connection.status() === "elsewhere";
  return (
    <div class="banner-place" role="status">
      <Show when={page.isWaiting()}>
        <div class="banner" data-tone="warn">
          <Icon name="unplug" />
          <Show
            when={isElsewhere()}
            fallback={
              <>
                <b>Connection lost.</b>
                <span class="is-quiet">
                  {seconds() > 0 ? `Next try in ${seconds()} s` : "Trying"}
                </span>
              </>
            }
          >
            <b>Open in another tab.</b>
            <span class="is-quiet">This page rests.</span>
          </Show>
          <button
            type="button"
            class="button is-small"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => connection.tryNow()}
          >
            {isElsewhere() ? "Use here" : "Try now"}
          </button>
        </div>
      </Show>
    </div>
  );
}

/* ---- the changed script does not compile; the old one runs on below ---- */

function BrokenScript(props: { broken: NonNullable<ReturnType<Page["broken"]>> }): JSX.Element {
  const [isSmall, setSmall] = createSignal(false);
  createEffect(() => {
    void props.broken;
    setSmall(false);
  });
  return (
    <section
      class="broken"
      aria-label="The script does not compile"
      classList={{ "is-small": isSmall() }}
    >
      <div class="broken-head">
        <span>
          <b>The changed script does not compile.</b>{" "}
          <span class="is-quiet">The page below is the version before.</span>
        </span>
        <button
          type="button"
          class="button is-small"
          aria-expanded={!isSmall()}
          onClick={() => setSmall(!isSmall())}
        >
          {isSmall() ? "Show" : "Hide"}
        </button>
      </div>
      <Show when={!isSmall()}>
        <Failure p={{ kind: "Syntax error", ...props.broken }} />
      </Show>
    </section>
  );
}

/* ---- before the first tree ---- */

function Skeleton(): JSX.Element {
  return (
    <div class="page is-loading" aria-busy="true">
      <span class="visually-hidden">Loading</span>
      <span class="skeleton is-title" />
      <span class="skeleton" />
      <span class="skeleton is-short" />
      <span class="skeleton is-block" />
    </div>
  );
}
