// Suggestions below the search box while a reader types. Without this script the box works as before.
// It follows the combobox pattern of the ARIA Authoring Practices: the input keeps the focus, arrow keys move
// through the list, Enter takes what is marked, Escape closes. Text is only ever put in as text.
"use strict";
(() => {
  const input = document.querySelector("input[data-suggest]");
  if (!input || !input.form) return;
  const kinds = {topic: "topic", author: "author", title: "article"};
  const list = document.createElement("ul");
  list.id = "suggested";
  list.className = "suggested";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels.length ? input.labels[0].textContent : "Suggestions");
  input.after(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false",
    autocomplete: "off",
  })) input.setAttribute(name, value);

  let found = [];
  let marked = -1;
  let typed = input.value;
  let timer = 0;
  let pending = null;

  function show(suggestions) {
    found = suggestions;
    marked = -1;
    list.replaceChildren(...found.map((suggestion, index) => {
      const option = document.createElement("li");
      option.id = "suggested-" + index;
      option.setAttribute("role", "option");
      const text = document.createElement("span");
      text.dir = "auto";
      text.textContent = suggestion.text;
      const note = document.createElement("span");
      note.className = "note";
      note.textContent = kinds[suggestion.kind] || suggestion.count.toLocaleString();
      option.append(text, note);
      option.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the box
      option.addEventListener("click", () => take(index));
      return option;
    }));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    marked = index;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    if (index < 0) {
      input.removeAttribute("aria-activedescendant");
      input.value = typed;
    } else {
      input.setAttribute("aria-activedescendant", list.children[index].id);
      list.children[index].scrollIntoView({block: "nearest"});
      if (found[index].kind === "words") input.value = found[index].text;
    }
  }

  function take(index) {
    const taken = found[index];
    show([]);
    if (taken.kind === "title") {
      location.assign(taken.href);
    } else {
      input.value = taken.query;
      input.form.requestSubmit(); // with the filters that are on
    }
  }

  async function ask() {
    if (pending) pending.abort();
    pending = new AbortController();
    try {
      const address = input.dataset.suggest + "?" + new URLSearchParams({q: typed});
      const response = await fetch(address, {signal: pending.signal});
      if (response.ok && document.activeElement === input) show((await response.json()).suggestions);
    } catch (error) {
      if (error.name !== "AbortError") show([]);
    }
  }

  input.addEventListener("input", () => {
    typed = input.value;
    clearTimeout(timer);
    if (typed.trim().length < 2) {
      if (pending) pending.abort();
      show([]);
    } else {
      timer = setTimeout(ask, 120);
    }
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const places = found.length + 1; // one of them is the box itself
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((marked + 1 + step + places) % places - 1);
      event.preventDefault();
    } else if (event.key === "Enter" && marked >= 0) {
      event.preventDefault();
      take(marked);
    } else if (event.key === "Escape") {
      mark(-1);
      show([]);
      event.preventDefault();
    }
  });
  input.addEventListener("blur", () => show([]));
  input.form.addEventListener("submit", () => clearTimeout(timer));
})();
