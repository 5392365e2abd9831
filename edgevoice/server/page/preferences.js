// The settings dialog: language, voice, how to talk, and how the page looks. Kept on this device.

import { recall, remember } from "./storage.js";
import { PAGE_LANGUAGES, text } from "./texts.js";

export class Preferences {
  /** `onChange(settings)` is called with what the server has to know: {language?, voice?, mode?}. */
  constructor(dialog, onChange) {
    this.dialog = dialog;
    this.fields = dialog.querySelector("form").elements;
    this.onChange = onChange;
    this.options("page-language", { "": text("as-browser"), ...PAGE_LANGUAGES });
    this.fields["page-language"].value = recall("page-language", "");
    this.fields.theme.value = recall("theme", "");
    this.fields.mode.value = recall("mode", "hands-free");
    for (const name of ["language", "voice", "mode"]) {
      this.fields[name].onchange = ({ target }) => {
        remember(name, target.value);
        // A voice belongs to its language.
        if (name === "language") remember("voice", null);
        this.onChange({ [name]: target.value });
      };
    }
    this.fields.theme.onchange = ({ target }) => {
      remember("theme", target.value);
      applyTheme();
    };
    this.fields["page-language"].onchange = ({ target }) => {
      remember("page-language", target.value);
      location.reload();
    };
  }

  get mode() {
    return this.fields.mode.value;
  }

  /** What this device asks for in its hello. */
  get wished() {
    return { language: recall("language", ""), voice: recall("voice", ""), mode: this.mode };
  }

  /** Show what is in effect, as the server says. */
  inEffect({ language, languages, voice, voices, mode }) {
    this.options("language", Object.fromEntries(languages.map((code) => [code, named(code)])));
    this.options("voice", Object.fromEntries(voices.map(({ name, title }) => [name, title])));
    this.fields.language.value = language;
    this.fields.voice.value = voice;
    this.fields.mode.value = mode;
  }

  options(field, choices) {
    const select = this.fields[field];
    const known = Object.entries(choices).map(([value, label]) => new Option(label, value));
    select.replaceChildren(...known);
    select.disabled = known.length < 2;
  }

  show() {
    this.dialog.showModal();
  }
}

/** The name of a language in the page's language. */
function named(code) {
  return new Intl.DisplayNames(document.documentElement.lang, { type: "language" }).of(code);
}

/** Light, dark, or as the device is set. */
export function applyTheme() {
  document.documentElement.dataset.theme = recall("theme", "");
}
