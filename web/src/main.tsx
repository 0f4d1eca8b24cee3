/* Begins the client: recalls the session, opens the connection, shows the page. */
import { render } from "solid-js/web";
import "./styles/index.css";
import { App } from "./app";
import { recallSession } from "./identity";
import { coming } from "./later";
import { Page } from "./page";
import { setPage } from "./use";

async function begin(): Promise<void> {
  const page = new Page(await recallSession());
  setPage(page);
  const place = document.getElementById("app");
  if (!place) throw new Error("index.html has no place for the page");
  place.replaceChildren();
  render(() => <App page={page} />, place);
  page.start();
  coming.catch(() =>
    page.notices.say("error", "A part of the page could not be loaded. Load the page again."),
  );
}

void begin();
