// The start of the page: texts, pairing, then the app.

import { App } from "./app.js";
import { askForCode, codeInLink, me, pair } from "./pairing.js";
import { applyTheme } from "./preferences.js";
import { loadTexts } from "./texts.js";

/** Pair this device by the link's code or a typed one, unless it is paired. */
export async function ensurePaired() {
  const form = document.getElementById("pairing");
  const app = document.getElementById("app");
  const code = codeInLink();
  if (!(await me()).paired) {
    const problem = code ? await pair(code) : "";
    if (problem !== null) {
      app.hidden = true;
      await askForCode(form, problem);
    }
  }
  app.hidden = false;
}

// The camera opens a new code's link in this tab.
addEventListener("hashchange", () => location.reload());
applyTheme();
await loadTexts();
await ensurePaired();
new App(ensurePaired).open();
