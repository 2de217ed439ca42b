// Starts runs of Dags and answers approvals through Airflow's own API, with the permissions of the user who is signed in.
"use strict";
(() => {
  const dialog = document.getElementById("trigger");
  const told = document.getElementById("triggered");
  const reason = document.getElementById("trigger-reason");
  const status = document.getElementById("status");
  const approvals = document.getElementById("approvals");
  const mayChange = document.body.dataset.mayChange === "yes";
  const api = "../../api/v2/dags/";

  const ask = async (path, options = {}) => {
    const response = await fetch(api + path, { headers: { "Content-Type": "application/json", Accept: "application/json" }, ...options });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const detail = typeof answer.detail === "string" ? answer.detail : "the request was refused";
    const sentence = { 403: "Airflow does not allow you to do this with this Dag.", 409: "Somebody has answered in the meantime." }[response.status];
    throw new Error(sentence || `Airflow answered ${response.status}: ${detail}`);
  };
  const doing = async (words, work) => {
    status.textContent = words;
    status.classList.remove("bad");
    try {
      await work();
      status.textContent = "";
    } catch (error) {
      status.textContent = error instanceof TypeError ? "Airflow does not answer. Look at the runs before you try again." : error.message;
      status.classList.add("bad");
    }
  };
  const confirmed = ({ title, question, yes, wantsReason = false }, then) => {
    document.getElementById("trigger-title").textContent = title;
    document.getElementById("trigger-question").textContent = question;
    document.getElementById("trigger-yes").textContent = yes;
    document.getElementById("trigger-reason-row").hidden = !wantsReason;
    reason.value = "";
    dialog.returnValue = "no";
    dialog.showModal();
    dialog.addEventListener("close", () => { if (dialog.returnValue === "yes") then(); }, { once: true });
  };
  const runLink = (dag, run) => {
    const link = document.createElement("a");
    link.href = `../../dags/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run)}`;
    link.dataset.airflow = "";
    link.textContent = run;
    return link;
  };

  const start = (dag, conf) => doing("Starting ...", async () => {
    const run = await ask(`${encodeURIComponent(dag)}/dagRuns`, { method: "POST", body: JSON.stringify({ logical_date: null, conf }) });
    const about = await ask(encodeURIComponent(dag));
    told.replaceChildren(`The run of ${dag} was started: `, runLink(dag, run.dag_run_id));
    if (about.is_paused) told.append(" The Dag is paused: the run waits until somebody switches the Dag on.");
  });
  for (const button of document.querySelectorAll("[data-trigger]")) {
    const { title, question } = button.dataset;
    const wantsReason = "reason" in button.dataset;
    button.addEventListener("click", () => confirmed({ title, question, yes: "Start the run", wantsReason }, () => {
      const conf = JSON.parse(button.dataset.conf);
      start(button.dataset.trigger, wantsReason ? { ...conf, reason: reason.value } : conf);
    }));
  }

  const answer = (detail, option, item) => doing("Answering ...", async () => {
    const { dag_id: dag, dag_run_id: run, task_id: task, map_index: index } = detail.task_instance;
    const path = [dag, "dagRuns", run, "taskInstances", task, index, "hitlDetails"].map(encodeURIComponent).join("/");
    await ask(path, { method: "PATCH", body: JSON.stringify({ chosen_options: [option], params_input: {} }) });
    item.remove();
    approvals.hidden = approvals.querySelector("li") === null;
    told.replaceChildren(`${option} is your answer. The run goes on: `, runLink(dag, run));
  });
  const show = (detail) => {
    const item = document.createElement("li");
    const title = document.createElement("h3");
    title.textContent = detail.subject;
    const summary = document.createElement("p");
    summary.textContent = (detail.body || "").split("\n\n")[0];
    item.append(title, summary);
    for (const option of mayChange ? detail.options : []) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = option;
      button.addEventListener("click", () => confirmed(
        { title: `${option}?`, question: detail.subject, yes: option }, () => answer(detail, option, item)));
      item.append(button, " ");
    }
    approvals.querySelector("ul").append(item);
    approvals.hidden = false;
  };
  if (!approvals) return;
  ask(`${encodeURIComponent(approvals.dataset.dag)}/dagRuns/~/hitlDetails?state=awaiting_input&response_received=false`)
    .then((found) => found.hitl_details.forEach(show))
    .catch((error) => { status.textContent = `The approvals cannot be shown: ${error.message}`; status.classList.add("bad"); });
})();
