// The controls around the talk surface: typing, quiet replies, settings, and the page itself.

import { remember, tab } from "./storage.js";
import { text } from "./texts.js";

const HIDDEN_CLOSES = 60000; // ms in the background without a microphone; others may need the place

const find = (id) => document.getElementById(id);

/** Have the controls act on `app`. */
export function addControls(app) {
  find("typing").onsubmit = (event) => {
    event.preventDefault();
    const field = find("question");
    if (field.value.trim()) app.ask(field.value.trim());
    field.value = "";
  };
  find("quiet").onclick = () => app.setQuiet(!app.quiet);
  find("open-settings").onclick = () => app.preferences.show();
  find("new").onclick = () => {
    app.link.send({ type: "new" });
    app.captions.restore([]);
    find("settings").close();
  };
  find("leave").onclick = () => leave(app);
  let closing;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(closing);
    if (!document.hidden && !app.ended) app.link.open();
    if (document.hidden && !app.sound.microphone.open) {
      closing = setTimeout(() => app.link.close(), HIDDEN_CLOSES);
    }
  });
}

async function leave(app) {
  if (!confirm(text("leave-sure"))) return;
  app.link.close();
  await fetch("leave", { method: "POST" });
  remember("session", null, tab);
  location.reload();
}
