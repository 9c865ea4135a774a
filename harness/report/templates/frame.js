// What every page does: it keeps the theme that a reader chose, and opens its folds for the printer.
"use strict";
(() => {
  const key = "edgematrix-theme";
  const root = document.documentElement;
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  // Some browsers forbid storage to a file from disk; then a choice lasts as long as its page.
  const stored = (act) => { try { return act(window.localStorage); } catch { return null; } };
  const system = () => (prefersDark.matches ? "dark" : "light");
  const shown = () => root.dataset.theme ?? system();
  const choose = (theme) => {
    // Who wants what the system wants follows the system again.
    if (theme === system()) delete root.dataset.theme;
    else root.dataset.theme = theme;
    stored((storage) => (theme === system() ? storage.removeItem(key) : storage.setItem(key, theme)));
  };

  const kept = stored((storage) => storage.getItem(key));
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const other = () => (shown() === "dark" ? "light" : "dark");
    const label = () => { button.textContent = `${other() === "dark" ? "Dark" : "Light"} theme`; };
    button.addEventListener("click", () => { choose(other()); label(); });
    prefersDark.addEventListener("change", label);
    label();
    button.hidden = false;
  });

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  window.addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
})();
