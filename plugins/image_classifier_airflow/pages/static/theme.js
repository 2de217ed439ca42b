// Airflow keeps its colour mode in localStorage ("theme": light, dark or system); the pages follow it.
"use strict";
(() => {
  const follow = () => {
    let mode = "system";
    try { mode = localStorage.getItem("theme") || "system"; } catch { /* no storage: the system's mode */ }
    if (mode === "light" || mode === "dark") document.documentElement.dataset.theme = mode;
    else delete document.documentElement.dataset.theme;
  };
  follow();
  addEventListener("storage", follow);
})();
