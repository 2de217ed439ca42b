// Keeps answers that were not sent when a page was left; the next page of the classifier sends them, and says so.
"use strict";
window.unsentAnswers = (() => {
  const MOST_AT_ONCE = 1000; // of a request
  const place = `image-classifier:unsent:${location.pathname.split("/").at(-2)}:${document.body.dataset.person}`;
  const status = document.getElementById("status");
  const say = (text, bad = false) => { status.textContent = text; status.classList.toggle("bad", bad); };
  const kept = () => { try { return JSON.parse(localStorage.getItem(place) || "[]"); } catch { return []; } };
  const keep = (answers) => { // each with its reason; the last answer of an image counts
    const all = new Map([...kept(), ...answers].map((said) => [said.key, said]));
    try { localStorage.setItem(place, JSON.stringify([...all.values()])); } catch { /* the browser keeps nothing */ }
  };
  const number = (count) => `${count} answer${count === 1 ? "" : "s"} of the page that you left`;
  const bodyOf = (answers) => JSON.stringify({ reason: answers[0].reason, answers });
  const post = (body, options = {}) => fetch("corrections", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Image-Classifier": "1", Accept: "application/json" },
    body,
    ...options,
  });

  const sendKept = async () => {
    const all = kept();
    if (all.length === 0) return;
    localStorage.removeItem(place); // so that a second tab does not send them, too
    say(`Saving ${number(all.length)} ...`);
    const count = { saved: 0, others: [] };
    while (all.length) {
      const some = all.splice(0, MOST_AT_ONCE);
      const response = await post(bodyOf(some)).catch(() => null);
      const answer = response ? await response.json().catch(() => ({})) : { detail: "Airflow does not answer." };
      if (!response || !response.ok) {
        keep([...some, ...all]);
        say(`Not saved yet: ${number(some.length + all.length)}. ${answer.detail} This browser keeps them; reload the page to save them.`, true);
        return;
      }
      const others = answer.results.filter((result) => result.state !== "saved");
      count.saved += answer.results.length - others.length;
      count.others.push(...others);
    }
    const first = count.others.length ? ` ${count.others.length} not: ${count.others[0].sentence}` : "";
    say(`Saved: ${number(count.saved)}. Reload the page to see them.${first}`, Boolean(first));
  };
  sendKept();
  return { keep, bodyOf, post };
})();
