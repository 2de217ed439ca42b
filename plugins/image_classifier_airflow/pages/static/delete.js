// Asks once more, then deletes an image with everything that was made of it, and says so on the gallery's page.
"use strict";
(() => {
  const button = document.querySelector("[data-delete]");
  const dialog = document.getElementById("delete");
  const status = document.getElementById("status");
  const kept = "image-classifier-deleted"; // tells the next page
  try {
    if (sessionStorage.getItem(kept)) status.textContent = "The image was deleted.";
    sessionStorage.removeItem(kept);
  } catch { /* the browser keeps nothing */ }
  if (!button) return;
  const remove = async () => {
    const start = Date.now();
    status.classList.remove("bad");
    const tell = () => {
      const seconds = Math.round((Date.now() - start) / 1000);
      status.textContent = `Deleting ...${seconds > 2 ? ` ${seconds} s. The predictions of every day are searched. This goes on if you leave the page.` : ""}`;
    };
    tell();
    const clock = setInterval(tell, 1000);
    try {
      const response = await fetch("delete", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Image-Classifier": "1", Accept: "application/json" },
        body: JSON.stringify({ key: button.dataset.delete }),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.detail);
      clearInterval(clock);
      try { sessionStorage.setItem(kept, "yes"); } catch { /* the browser keeps nothing */ }
      const before = document.referrer && new URL(document.referrer); // with the gallery's filter
      const isGallery = before && before.origin === location.origin && before.pathname.endsWith("/gallery");
      location.replace(isGallery ? before.href : "gallery");
    } catch (error) {
      clearInterval(clock);
      status.textContent = error instanceof TypeError ? "Airflow does not answer. Delete the image again." : error.message;
      status.classList.add("bad");
    }
  };
  button.addEventListener("click", () => {
    dialog.returnValue = "no";
    dialog.showModal();
    dialog.addEventListener("close", () => { if (dialog.returnValue === "yes") remove(); }, { once: true });
  });
})();
