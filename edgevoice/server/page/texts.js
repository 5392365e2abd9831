// The page's own texts: one JSON file a language, the browser's language unless another is chosen.

import { recall } from "./storage.js";

export const PAGE_LANGUAGES = { en: "English", de: "Deutsch" };

let texts = {};

/** The text of `key`, with {names} replaced by `values`. */
export function text(key, values = {}) {
  const found = texts[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Whether there is a text of this name. */
export function known(key) {
  return key in texts;
}

/** Load the texts and put them into the page. */
export async function loadTexts() {
  const wished = [recall("page-language", ""), ...navigator.languages].map((tag) => tag.split("-")[0]);
  const language = wished.find((tag) => tag in PAGE_LANGUAGES) ?? "en";
  texts = await (await fetch(`texts/${language}.json`)).json();
  document.documentElement.lang = language;
  fill(document);
}

/** Put the texts into all elements below `root` that name one. */
export function fill(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    const label = text(element.dataset.label);
    element.setAttribute("aria-label", label);
    if (element.matches("button")) element.title = label;
  }
  for (const element of root.querySelectorAll("[data-placeholder]")) {
    element.placeholder = text(element.dataset.placeholder);
  }
}
