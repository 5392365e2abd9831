// Pairing: the code of the QR link or a typed one becomes a cookie that scripts cannot read.

import { note } from "./log.js";
import { text } from "./texts.js";

/** What the server says about this device: {paired, name, …}. */
export async function me() {
  const answer = await fetch("me", { cache: "no-store" });
  if (!answer.ok) throw new Error(`GET /me: ${answer.status}`);
  return answer.json();
}

/** The code in the link `#code=CODE`, which is taken out of the address. */
export function codeInLink() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

/** Pair this device; returns an error to show, or null. */
export async function pair(code) {
  const body = JSON.stringify({ code: code.trim(), name: deviceName() });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("pair", { method: "POST", headers, body }).catch(() => null);
  note("pair", { status: answer?.status ?? 0 });
  if (answer?.ok) return null;
  if (!answer) return text("unreachable");
  if (answer.status === 429) return text("pair-too-often");
  return text("pair-wrong");
}

/** What the list of devices calls this one. */
function deviceName() {
  const agent = navigator.userAgent;
  const systems = ["iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux"];
  const browsers = ["Firefox", "Edg", "SamsungBrowser", "Chrome", "Safari"];
  const system = systems.find((name) => agent.includes(name)) ?? "";
  const browser = browsers.find((name) => agent.includes(name)) ?? "";
  return `${system} ${browser}`.trim() || "browser";
}

/** Show the pairing screen until it has worked. */
export function askForCode(form, problem) {
  const code = form.elements.code;
  const message = form.querySelector("[role=alert]");
  message.textContent = problem ?? "";
  form.hidden = false;
  code.focus();
  return new Promise((done) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      message.textContent = (await pair(code.value)) ?? "";
      if (message.textContent) return code.select();
      form.hidden = true;
      done();
    };
  });
}
