// Asks once more, then deletes an image with everything that was made of it.
"use strict";
(() => {
  const button = document.querySelector("[data-delete]");
  const dialog = document.getElementById("delete");
  const status = document.getElementById("status");
  if (!button) return;
  const remove = async () => {
    status.textContent = "Deleting ...";
    status.classList.remove("bad");
    try {
      const response = await fetch("delete", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Image-Classifier": "1", Accept: "application/json" },
        body: JSON.stringify({ key: button.dataset.delete }),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.detail);
      location.replace("gallery");
    } catch (error) {
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
