// Training from within an explorer, where there is a Python that trains: a row with Run, progress
// and Cancel, for explorers whose Python side is running.Running.
import { h } from "./parts.js";

// Returns null where there is no kernel, and nothing is shown. Else {element, refresh}: the row, and
// what to call after the request may have changed. `request()` returns {table, settings, text},
// arguments of nh.sweep by name and what they mean in words, and perhaps `then`, called once they
// are sent; or only {text}, that says why there is nothing to ask. `inputs` stand before the button.
export const runner = (ui, { request, inputs = [] }) => {
  if (ui.inPage) return null;
  const button = h("button", { type: "submit" }, "Run");
  const cancel = h("button", { type: "button", hidden: true }, "Cancel");
  const what = h("span", { class: "nh-copied" });
  const bar = h("progress", { hidden: true, "aria-label": "Rows measured" });
  const status = h("span", { role: "status" });
  const form = h("form", { class: "nh-row", novalidate: true }, ...inputs, button, cancel, what);
  const element = h("div", { class: "nh-run" }, form, h("div", { class: "nh-row" }, bar, status));
  let silent = false; // then what was running is not any more, for all we know

  const send = (message) =>
    ui.ask(message, (text) => {
      silent = true;
      status.textContent = `${text} What has been measured stays here.`;
      bar.hidden = true;
      refresh();
    });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { table, settings, then, text } = request();
    if (!settings) {
      status.textContent = text;
      return;
    }
    status.textContent = "Asking Python …";
    send({ kind: "run", table, settings });
    then?.();
  });
  cancel.addEventListener("click", () => send({ kind: "cancel" }));

  const refresh = () => {
    const running = ui.get("_run").state === "running" && !silent;
    const { settings, text } = request();
    button.disabled = running;
    cancel.hidden = !running;
    what.textContent = running ? "" : text;
    what.classList.toggle("nh-wrong", !settings);
  };
  ui.follow(["_run"], () => {
    ui.answered();
    silent = false;
    const { state, text, done, total } = ui.get("_run");
    bar.hidden = state !== "running" || !total;
    bar.max = total || 1;
    bar.value = done;
    status.textContent =
      state === "running" && total ? `${text} ${done} of ${total} rows are measured.` : text;
    refresh();
  });
  return { element, refresh };
};
