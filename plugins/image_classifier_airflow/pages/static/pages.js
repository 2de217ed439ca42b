// What every page does: links to Airflow's own pages leave the frame, and a picture that cannot be shown says so.
"use strict";
(() => {
  const framed = window.parent !== window;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!framed || !link) return;
    event.preventDefault(); // the frame's sandbox forbids navigation of the page around it, but not a click in it
    const outer = window.parent.document.createElement("a");
    outer.href = link.href;
    window.parent.document.body.append(outer);
    outer.click();
    outer.remove();
  });
  const missing = (image) => {
    const text = document.createElement("span");
    text.className = "none";
    text.textContent = "no picture";
    image.replaceWith(text);
  };
  for (const image of document.images) {
    if (image.complete && image.naturalWidth === 0 && image.loading !== "lazy") missing(image);
  }
  document.addEventListener("error", (event) => { // of a picture that a script has added, too
    if (event.target instanceof HTMLImageElement) missing(event.target);
  }, true);
})();
