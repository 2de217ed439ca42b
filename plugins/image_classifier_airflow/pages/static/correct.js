// Correcting by mouse and keyboard: one key per answer, many images at once, undo, and on to the next image.
"use strict";
(() => {
  const grid = document.querySelector('.grid[role="listbox"]');
  const panel = document.querySelector(".answers");
  if (!grid) return;
  const KEPT_ALIVE = 60000; // bytes of all requests together that may outlive the page; browsers allow 64 KiB
  const NONE_SELECTED = "No image is selected: click on one first.";
  const tiles = [...grid.querySelectorAll(".tile")];
  const status = document.getElementById("status");
  let current = 0, anchor = 0, lastAnswers = null;
  let waiting = Promise.resolve(), unsaved = 0; // answers are saved one after the other, and typed meanwhile
  const unsent = new Set(); // those that wait for the ones before them
  let sending = { answers: [], outlives: 0 }; // the present request: its answers, and its bytes if it may outlive the page
  let offPage = []; // images of other pages that are selected too, in the form of tiles

  const say = (text, bad = false) => { status.textContent = text; status.classList.toggle("bad", bad); };
  const isSelected = (tile) => tile.getAttribute("aria-selected") === "true";
  const mark = (tile, on) => tile.setAttribute("aria-selected", on ? "true" : "false");
  const selected = () => [...tiles.filter(isSelected), ...offPage];
  const tell = () => {
    const field = document.getElementById("selected");
    if (field) field.textContent = `${selected().length} selected${offPage.length ? `, ${offPage.length} of them on other pages` : ""}`;
  };
  const columns = () => {
    const top = tiles[0].offsetTop;
    const next = tiles.findIndex((tile) => tile.offsetTop !== top);
    return next < 0 ? tiles.length : next;
  };
  const only = (index) => { offPage = []; tiles.forEach((tile) => mark(tile, false)); mark(tiles[index], true); anchor = index; tell(); };
  const range = (to) => {
    offPage = [];
    tiles.forEach((tile, index) => mark(tile, index >= Math.min(anchor, to) && index <= Math.max(anchor, to)));
    tell();
  };
  const go = (index, extend = false) => {
    current = Math.max(0, Math.min(tiles.length - 1, index));
    if (extend) range(current); else only(current);
    tiles.forEach((tile, place) => { tile.tabIndex = place === current ? 0 : -1; });
    tiles[current].focus();
  };
  const isBlind = "blind" in grid.dataset; // neither predictions nor other people's answers are told
  const enlarge = (tile) => { // an image's page would show its prediction
    const dialog = document.createElement("dialog");
    const picture = document.createElement("img");
    picture.src = `picture?key=${encodeURIComponent(tile.dataset.key)}`;
    picture.alt = tile.querySelector(".name").textContent;
    dialog.className = "enlarged";
    dialog.append(picture);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); dialog.close(); } });
    dialog.addEventListener("close", () => { dialog.remove(); tile.focus(); });
    document.body.append(dialog);
    dialog.showModal();
  };
  const open = (tile) => {
    if (isBlind) enlarge(tile);
    else if (!grid.classList.contains("single")) location.href = `image?key=${encodeURIComponent(tile.dataset.key)}`;
  };

  if (panel) new ResizeObserver(() => { // an image that gets the focus is not hidden behind the panel
    const covers = getComputedStyle(panel).position === "sticky";
    document.documentElement.style.scrollPaddingTop = covers ? `${panel.offsetHeight + 8}px` : "";
  }).observe(panel);
  grid.removeAttribute("tabindex");
  tiles[0].tabIndex = 0;
  tiles.forEach((tile, index) => {
    tile.addEventListener("focus", () => { current = index; });
    tile.addEventListener("click", (event) => {
      if (event.shiftKey) go(index, true);
      else if (event.ctrlKey || event.metaKey) { mark(tile, !isSelected(tile)); anchor = current = index; tell(); }
      else go(index);
    });
    tile.addEventListener("dblclick", () => open(tile));
  });

  const show = (tile, result) => {
    const said = { label: result.is_right && !isBlind ? "right" : `is ${result.label}`, proposed: `new class ${result.label}`,
      unclear: "unclear", irrelevant: "not of interest" }[result.answer];
    if ("etag" in result) tile.dataset.etag = result.etag;
    if (!(tile instanceof Element)) {
      if (result.answer === "withdrawn") delete tile.dataset.answer;
      else if (result.answer) Object.assign(tile.dataset, { answer: result.answer, answerLabel: result.label || "", answerReason: result.reason });
      return;
    }
    const text = tile.querySelector(".answer");
    const isConflict = result.state === "conflict";
    tile.classList.toggle("conflict", isConflict);
    if (!result.answer) return;
    for (const name of ["answer", "hidden"]) for (const part of ["", "Label", "Reason"]) delete tile.dataset[name + part];
    text.hidden = result.answer === "withdrawn";
    if (text.hidden) return;
    const isSecret = isBlind && (isConflict || result.reason !== "random");
    const name = isSecret ? "hidden" : "answer";
    Object.assign(tile.dataset, { [name]: result.answer, [`${name}Label`]: result.label || "", [`${name}Reason`]: result.reason });
    text.hidden = isSecret && !isConflict;
    if (isSecret) text.textContent = isConflict ? `answered by ${result.by} too` : "";
    else text.textContent = isConflict ? `${result.by} said: ${said}` : `${said} (${result.by})`;
  };

  const sizeOf = (text) => new TextEncoder().encode(text).length;
  const send = async (answers) => {
    say("Saving ...");
    const body = unsentAnswers.bodyOf(answers), bytes = sizeOf(body);
    sending = { answers, outlives: bytes < KEPT_ALIVE ? bytes : 0 };
    try {
      const response = await unsentAnswers.post(body, { keepalive: sending.outlives > 0 });
      const answer = await response.json();
      const isSignedOut = response.status === 401;
      if (isSignedOut) unsentAnswers.keep(answers);
      if (!response.ok) { say(answer.detail + (isSignedOut ? " This browser keeps the answer, and saves it then." : ""), true); return null; }
      return answer.results;
    } catch {
      say("Airflow does not answer. It is unknown whether the answer was saved; try again.", true);
      return null;
    } finally {
      sending = { answers: [], outlives: 0 };
    }
  };

  const before = (tile) => {
    const name = ["answer", "hidden"].find((one) => tile.dataset[one]);
    return name ? { answer: tile.dataset[name], label: tile.dataset[`${name}Label`] || null, reason: tile.dataset[`${name}Reason`] }
      : { answer: "withdrawn", label: null };
  };

  const bodies = (answers) => [...answers].map(([tile, said]) => (
    { reason: panel.dataset.reason, key: tile.dataset.key, etag: tile.dataset.etag, ...said }));
  addEventListener("pagehide", () => { // the last answer of each image goes on after the page; of too many the next page sends them
    const all = [...(sending.outlives ? [] : sending.answers), ...[...unsent].flatMap(bodies)];
    const last = [...new Map(all.map((said) => [said.key, said])).values()];
    unsent.clear();
    if (last.length === 0) return;
    const body = unsentAnswers.bodyOf(last);
    if (sending.outlives + sizeOf(body) < KEPT_ALIVE) unsentAnswers.post(body, { keepalive: true });
    else unsentAnswers.keep(last);
  });

  const store = async (answers, { remember }) => {
    const chosen = [...answers.keys()];
    const had = new Map(chosen.map((tile) => [tile.dataset.key, before(tile)]));
    const results = await send(bodies(answers));
    if (!results) { goBack(chosen); return; }
    if (isBlind) countSample();
    const byKey = new Map(chosen.map((tile) => [tile.dataset.key, tile]));
    results.forEach((result) => show(byKey.get(result.key), result));
    const saved = results.filter((result) => result.state === "saved");
    const others = results.filter((result) => result.state !== "saved");
    lastAnswers = remember && saved.length ? saved.map((result) => [byKey.get(result.key), had.get(result.key)]) : null;
    panel.querySelector('[data-action="undo"]').disabled = !lastAnswers;
    if (others.length) {
      const hint = others[0].state === "conflict" ? " Answer again to replace it." : "";
      const why = isBlind && hint ? "Somebody else has answered in the meantime." : others[0].sentence; // which names the image
      say(`${saved.length} saved, ${others.length} not: ${why}${hint}`, true);
      goBack(others.map((result) => byKey.get(result.key)));
      return;
    }
    const isLast = remember && !grid.classList.contains("single") && nextAfter(placeOf(chosen)) < 0;
    say(`${saved.length} ${remember ? "saved" : "undone"}${isLast ? ". All after this one are answered." : ""}`);
    if (!remember) goBack(chosen);
  };
  const later = (work) => {
    unsaved += 1;
    waiting = waiting.then(work).catch(() => say("The answer could not be shown. Reload the page.", true)).finally(() => { unsaved -= 1; });
  };
  const apply = (chosen, answerOf) => {
    if (!panel) return;
    if (chosen.length === 0) { say(NONE_SELECTED, true); return; }
    const answers = new Map(chosen.map((tile) => [tile, answerOf(tile)]));
    unsent.add(answers);
    later(async () => { if (unsent.delete(answers)) await store(answers, { remember: true }); });
    const next = nextAfter(placeOf(chosen));
    if (next >= 0) go(next);
  };

  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const countSample = async () => {
    const place = document.querySelector("[data-live]");
    const response = await fetch("sample-accuracy", { headers: { Accept: "application/json" } }).catch(() => null);
    if (!place || !response || !response.ok) return; // the figures stay as they were
    const it = await response.json();
    place.querySelector("[data-live-text]").textContent = it.of
      ? `${it.right} of ${it.of} answers agree with the model: ${percent(it.value)} (${percent(it.low)} to ${percent(it.high)})`
      : "No answer in the sample of this model yet";
    place.querySelector("[data-live-more]").textContent = it.more
      ? `About ${it.more.toLocaleString("en-US")} more answers narrow the interval to 3 points on either side.`
      : "The interval is narrow enough: this model needs no more answers.";
  };

  const placeOf = (chosen) => Math.max(...chosen.map((tile) => tiles.indexOf(tile)));
  const nextAfter = (from) => tiles.findIndex((tile, index) => index > from && !tile.dataset.answer);
  const goBack = (chosen) => { // to what needs another answer, unless the person goes on typing
    const shown = chosen.filter((tile) => tiles.includes(tile));
    if (unsaved > 1 || shown.length === 0) return;
    go(tiles.indexOf(shown[0]));
    if (shown.length > 1) { shown.forEach((tile) => mark(tile, true)); tell(); }
  };

  const asLabel = (label) => () => ({ answer: "label", label });
  const answer = (label) => {
    if (selected().length) picker.remember(label);
    apply(selected(), asLabel(label));
    if (document.activeElement.id === "other-label") tiles[current].focus();
  };
  const right = () => {
    const chosen = selected().filter((tile) => tile.dataset.label);
    if (chosen.length) apply(chosen, (tile) => ({ answer: "label", label: tile.dataset.label }));
    else say("There is no prediction to confirm: choose a class.", true);
  };
  const propose = (label) => {
    const ask = document.getElementById("ask");
    const chosen = selected();
    document.getElementById("ask-text").textContent =
      `The model has no class "${label}". Propose it? It is used once an operator accepts it in the classifier's file.`;
    ask.returnValue = "no";
    ask.showModal();
    ask.addEventListener("close", () => {
      if (ask.returnValue === "yes") apply(chosen, () => ({ answer: "proposed", label }));
    }, { once: true });
  };
  const likeliest = () => { // of the selected image, or of its prediction where it was corrected
    const [tile, ...others] = selected();
    if (!tile || others.length || !tile.dataset.likeliest) return [];
    return [...(tile.dataset.answer && tile.dataset.label ? [tile.dataset.label] : []), ...JSON.parse(tile.dataset.likeliest)];
  };
  const picker = panel && classPicker({ panel, likeliest, choose: answer, propose, leave: () => tiles[current].focus() });
  const undo = () => {
    later(async () => { // once everything typed before it is saved
      if (lastAnswers) await store(new Map(lastAnswers), { remember: false });
    });
  };
  const actions = {
    right, undo,
    typed: () => picker.enter(),
    unclear: () => apply(selected(), () => ({ answer: "unclear", label: null })),
    irrelevant: () => apply(selected(), () => ({ answer: "irrelevant", label: null })),
    help: () => document.getElementById("help").showModal(),
    withdraw: () => {
      const chosen = selected().filter((tile) => tile.dataset.answer);
      if (chosen.length) apply(chosen, () => ({ answer: "withdrawn", label: null }));
      else say("There is no correction to withdraw.", true);
    },
    "select-matching": async () => {
      say("Searching all matching images ...");
      const response = await fetch(`matching${location.search}`, { headers: { Accept: "application/json" } }).catch(() => null);
      const answer = response ? await response.json() : { detail: "Airflow does not answer." };
      if (!response || !response.ok) { say(answer.detail, true); return; }
      const matching = new Map(answer.images.map((image) => [image.key, image]));
      tiles.forEach((tile) => mark(tile, matching.delete(tile.dataset.key)));
      offPage = [...matching.values()].map((image) => ({ dataset: image }));
      tell();
      tiles[current].focus(); // for keys
      say(answer.found > answer.images.length ? `The first ${answer.images.length} of ${answer.found} are selected.` : "");
    },
    "select-page": () => { offPage = []; tiles.forEach((tile) => mark(tile, true)); tell(); tiles[current].focus(); },
  };
  if (panel) panel.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-action], [data-label-choice]");
    if (!button) return;
    if (button.dataset.action) actions[button.dataset.action]();
    else answer(button.dataset.labelChoice);
  });

  const onKey = (event) => {
    const key = event.key;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
    let done = true;
    if (key in moves) go(current + moves[key], event.shiftKey);
    else if (key === "Home") go(0, event.shiftKey);
    else if (key === "End") go(tiles.length - 1, event.shiftKey);
    else if (key === " ") open(tiles[current]);
    else if ((event.ctrlKey || event.metaKey) && key === "a") actions["select-page"]();
    else if (event.ctrlKey || event.metaKey || event.altKey) done = false;
    else if (key === "Escape") { offPage = []; tiles.forEach((tile) => mark(tile, false)); tell(); }
    else if (key === "?" && panel) actions.help();
    else if (!panel) done = false;
    else if (key === "s") { mark(tiles[current], !isSelected(tiles[current])); tell(); }
    else {
      if (selected().length === 0) only(current);
      if (key === "Enter" && !isBlind) right();
      else if (picker.ofKey(key)) answer(picker.ofKey(key));
      else if (key === "u") actions.unclear();
      else if (key === "x") actions.irrelevant();
      else if (key === "w") actions.withdraw();
      else if (key === "z") undo();
      else if (key === "/") picker.start("");
      else if (key.length === 1 && picker.labels.some((label) => label.toLowerCase().startsWith(key.toLowerCase()))) picker.start(key);
      else done = false;
    }
    if (done) event.preventDefault();
  };
  grid.addEventListener("keydown", onKey);
  document.addEventListener("keydown", (event) => { // although no image has the focus
    const isElsewhere = event.target !== document.body && event.target.id !== "content";
    if (!panel || isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && !selected().length) { event.preventDefault(); go(current, false); return; }
    if (event.key === "?" || event.key.startsWith("Arrow")) { onKey(event); return; }
    if (event.key === "z") { undo(); return; }
    if (!picker.ofKey(event.key) && !["u", "x", "w", "Enter", "/"].includes(event.key)) return;
    if (selected().length) onKey(event); else say(NONE_SELECTED, true);
  });
})();
