// Starts runs of Dags through Airflow's own API, with the permissions of the user who is signed in.
"use strict";
(() => {
  const dialog = document.getElementById("trigger");
  const told = document.getElementById("triggered");
  const reason = document.getElementById("trigger-reason");
  const status = document.getElementById("status");
  const api = "../../api/v2/dags/";

  const ask = async (path, options = {}) => {
    const response = await fetch(api + path, { headers: { "Content-Type": "application/json", Accept: "application/json" }, ...options });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const detail = typeof answer.detail === "string" ? answer.detail : "the request was refused";
    throw new Error(response.status === 403 ? "You may not start a run of this Dag." : `Airflow answered ${response.status}: ${detail}`);
  };

  const start = async (dag, conf) => {
    status.textContent = "Starting ...";
    status.classList.remove("bad");
    try {
      const run = await ask(`${encodeURIComponent(dag)}/dagRuns`, { method: "POST", body: JSON.stringify({ logical_date: null, conf }) });
      const about = await ask(encodeURIComponent(dag));
      const link = document.createElement("a");
      link.href = `../../dags/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run.dag_run_id)}`;
      link.dataset.airflow = "";
      link.textContent = run.dag_run_id;
      told.replaceChildren(`The run of ${dag} was started: `, link);
      if (about.is_paused) told.append(" The Dag is paused: the run waits until somebody switches the Dag on.");
      status.textContent = "";
    } catch (error) {
      status.textContent = error instanceof TypeError ? "Airflow does not answer. Look at the runs before you try again." : error.message;
      status.classList.add("bad");
    }
  };

  for (const button of document.querySelectorAll("[data-trigger]")) {
    button.addEventListener("click", () => {
      document.getElementById("trigger-title").textContent = button.dataset.title;
      document.getElementById("trigger-question").textContent = button.dataset.question;
      const wantsReason = "reason" in button.dataset;
      document.getElementById("trigger-reason-row").hidden = !wantsReason;
      reason.value = "";
      dialog.returnValue = "no";
      dialog.showModal();
      dialog.addEventListener("close", () => {
        if (dialog.returnValue !== "yes") return;
        const conf = JSON.parse(button.dataset.conf);
        start(button.dataset.trigger, wantsReason ? { ...conf, reason: reason.value } : conf);
      }, { once: true });
    });
  }
})();
