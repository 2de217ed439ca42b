// Chooses one of many classes: a list that narrows as one types, and buttons for the classes that were chosen last.
"use strict";
window.classPicker = ({ panel, likeliest, choose, propose, leave }) => {
  const MOST_SHOWN = 100, SLOTS = 9;
  const field = document.getElementById("other-label");
  const options = [...panel.querySelectorAll("#labels option")];
  const labels = options.map((option) => option.value);
  const place = `image-classifier:recent:${location.pathname.split("/").at(-2)}`;
  const row = panel.querySelector("[data-recent]"); // absent if every class has a button
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const searched = new Map(labels.map((label) => [label, plain(label)]));

  const stored = () => {
    try { return JSON.parse(localStorage.getItem(place) || "[]").filter((label) => labels.includes(label)); } catch { return []; }
  };
  const used = stored(); // the last one first
  const slots = used.slice(0, SLOTS); // a button keeps its place while others come and go
  const drawSlots = () => {
    if (!row) return;
    row.replaceChildren(...slots.map((label, index) => {
      const button = document.createElement("button");
      const key = document.createElement("kbd");
      button.type = "button";
      button.dataset.labelChoice = label;
      key.textContent = index + 1;
      button.append(label, ...(options.some((option) => option.dataset.shortcut === key.textContent) ? [] : [" ", key]));
      return button;
    }));
    row.hidden = slots.length === 0;
  };
  const remember = (label) => {
    if (!row || !labels.includes(label)) return;
    if (!slots.includes(label)) {
      if (slots.length < SLOTS) slots.push(label);
      else slots[slots.indexOf(used.filter((one) => slots.includes(one)).at(-1))] = label;
    }
    used.splice(0, used.length, label, ...used.filter((one) => one !== label));
    try { localStorage.setItem(place, JSON.stringify(used.slice(0, SLOTS))); } catch { /* the buttons last as long as the page */ }
    drawSlots();
  };

  // the list below the field, as in the ARIA authoring practices' editable combobox with list autocomplete
  const list = document.createElement("ul");
  list.id = "label-list";
  list.className = "choices";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Classes");
  list.hidden = true;
  field.after(list);
  field.removeAttribute("list");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })) {
    field.setAttribute(name, value);
  }
  let active = -1;
  const rank = (label, words) => {
    const text = searched.get(label), all = words.join(" ");
    if (text === all) return 0;
    if (text.startsWith(all)) return 1;
    if (words.every((word) => ` ${text}`.includes(` ${word}`))) return 2;
    return words.every((word) => text.includes(word)) ? 3 : -1;
  };
  const found = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    const first = likeliest().filter((label) => labels.includes(label));
    const order = [...new Set([...first, ...used, ...labels])];
    const why = (label) => (first.includes(label) ? "likely" : used.includes(label) ? "recent" : "");
    return order.map((label) => ({ label, why: why(label), rank: words.length ? rank(label, words) : 0 }))
      .filter((one) => one.rank >= 0).sort((one, other) => one.rank - other.rank);
  };
  const item = (text, note, act) => {
    const one = document.createElement("li");
    one.id = `choice-${list.children.length}`;
    one.setAttribute("role", "option");
    one.dir = "auto";
    one.append(text);
    if (note) {
      const small = document.createElement("small");
      small.textContent = note;
      one.append(" ", small);
    }
    one.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    one.addEventListener("click", act);
    one.act = act;
    list.append(one);
  };
  const move = (to) => {
    active = to;
    [...list.children].forEach((one, index) => one.setAttribute("aria-selected", index === active ? "true" : "false"));
    if (active < 0) { field.removeAttribute("aria-activedescendant"); return; }
    field.setAttribute("aria-activedescendant", list.children[active].id);
    list.children[active].scrollIntoView({ block: "nearest" });
  };
  const close = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
  const take = (act) => { field.value = ""; close(); act(); };
  const put = () => { // below the field; the panel would cut it off if it stood in there
    const box = field.getBoundingClientRect();
    const bottom = window.visualViewport ? window.visualViewport.height : innerHeight;
    list.style.top = `${box.bottom + 2}px`;
    list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`;
    list.style.maxHeight = `${Math.max(120, bottom - box.bottom - 10)}px`;
  };
  const open = () => {
    const text = field.value.trim(), all = found();
    list.replaceChildren();
    for (const { label, why } of all.slice(0, MOST_SHOWN)) item(label, why, () => take(() => choose(label)));
    if (text && !labels.includes(text)) item(`Propose "${text}"`, "as a new class", () => take(() => propose(text)));
    list.hidden = list.children.length === 0;
    put();
    field.setAttribute("aria-expanded", String(!list.hidden));
    move(text ? 0 : -1);
  };
  const enter = () => {
    if (!list.hidden && active >= 0) list.children[active].act();
  };
  field.addEventListener("input", open);
  field.addEventListener("focus", open);
  field.addEventListener("click", open);
  field.addEventListener("blur", close);
  for (const [target, event] of [[window, "scroll"], [window, "resize"], [window.visualViewport, "resize"]]) {
    if (target) target.addEventListener(event, () => { if (!list.hidden) put(); }, { passive: true });
  }
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open();
      else if (event.key === "ArrowDown") move((active + 1) % list.children.length);
      else move(active > 0 ? active - 1 : list.children.length - 1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      enter();
    } else if (event.key === "Escape") {
      field.value = "";
      close();
      leave();
    }
  });
  drawSlots();

  return {
    labels, remember,
    start: (letter) => { field.value = letter; field.focus(); open(); },
    enter: () => { if (list.hidden) open(); enter(); },
    ofKey: (key) => {
      const option = options.find((one) => one.dataset.shortcut === key);
      return option ? option.value : row && /^[1-9]$/.test(key) ? slots[key - 1] : undefined;
    },
  };
};
