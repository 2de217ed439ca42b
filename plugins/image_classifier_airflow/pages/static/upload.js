// Uploads images one after the other, and shows the prediction of each as it arrives.
"use strict";
(() => {
  const zone = document.querySelector(".drop");
  const list = document.getElementById("uploads");
  const status = document.getElementById("status");
  if (!zone) return;
  const PAUSE_MS = 2000, LONGEST_MS = 180000;
  const mostBytes = Number(zone.dataset.mostBytes);
  let uploading = 0;
  const headers = { "X-Image-Classifier": "1", Accept: "application/json" };
  const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

  const tile = (name) => {
    const item = document.createElement("li");
    item.className = "tile";
    const title = document.createElement("span");
    title.className = "name";
    title.textContent = name;
    const text = document.createElement("span");
    text.className = "label";
    text.textContent = "waiting";
    item.append(title, text);
    list.prepend(item);
    return { item, text };
  };

  const ask = async (address, options) => {
    const response = await fetch(address, options);
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    return answer;
  };

  const show = ({ item, text }, key, answer) => {
    const link = document.createElement("a");
    link.href = `image?key=${encodeURIComponent(key)}`;
    const picture = document.createElement("img");
    picture.src = `thumbnail?key=${encodeURIComponent(key)}`;
    picture.alt = "The uploaded image";
    link.append(picture);
    item.prepend(link);
    text.textContent = answer.label ? `${answer.label}, ${(100 * answer.confidence).toFixed(1)}%` : `${answer.state}: ${answer.sentence}`;
    if (answer.state !== "predicted" && answer.label) text.textContent += ` (${answer.state})`;
    item.dataset.state = answer.state;
  };

  const follow = async (place, stored) => {
    const end = Date.now() + LONGEST_MS;
    const query = new URLSearchParams({ key: stored.key, version: stored.version });
    while (Date.now() < end) {
      const answer = await ask(`prediction?${query}`, { headers });
      if (answer.state !== "waiting") { show(place, stored.key, answer); return; }
      await wait(PAUSE_MS);
    }
    place.text.textContent = "no prediction yet: see the gallery later";
  };

  const upload = async (file) => {
    const place = tile(file.name);
    if (file.size > mostBytes) {
      place.text.textContent = `not uploaded: ${(file.size / 1e6).toFixed(1)} MB, and this page takes at most ${mostBytes / 1e6} MB`;
      return false;
    }
    place.text.textContent = "uploading";
    try {
      const stored = await ask(`uploads?${new URLSearchParams({ name: file.name })}`,
        { method: "POST", headers: { ...headers, "Content-Type": "application/octet-stream" }, body: file });
      place.text.textContent = "uploaded, waiting for the prediction";
      follow(place, stored).catch((error) => { place.text.textContent = error.message; });
      return true;
    } catch (error) {
      place.text.textContent = error instanceof TypeError ? "Airflow does not answer" : error.message;
      return false;
    }
  };

  const take = async (files) => {
    let done = 0;
    uploading += 1;
    for (const [place, file] of files.entries()) {
      status.textContent = `Uploading ${place + 1} of ${files.length} ...`;
      if (await upload(file)) done += 1;
    }
    uploading -= 1;
    status.textContent = `${done} of ${files.length} uploaded`;
  };

  // The browser asks before it leaves the page, as the files that are not uploaded yet would be left out.
  window.addEventListener("beforeunload", (event) => { if (uploading) event.preventDefault(); });
  document.getElementById("files").addEventListener("change", (event) => take([...event.target.files]));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
})();
