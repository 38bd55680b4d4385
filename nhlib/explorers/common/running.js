// Training from within an explorer, where there is a Python that trains: a row with Run, progress
// and Cancel, for explorers whose Python side is running.Running.
/** @import { Frame } from "./frame.js" */
import { h } from "./elements.js";
import { Kernel } from "./kernel.js";

/**
 * What is asked for, as arguments of nh.sweep by name, and what they mean in words; `sent` is called
 * once Python has been asked. Only the text, if there is nothing to ask: it says why.
 * @typedef {{
 *   text: string,
 *   table?: string,
 *   settings?: { [name: string]: any[] },
 *   sent?: () => void,
 * }} Request
 */

/**
 * Return the row, and what to call after the request may have changed; null where there is no
 * kernel.
 * @param {Frame} ui
 * @param {() => Request} request
 * @param {HTMLElement[]} inputs what stands before the button
 */
export const runner = (ui, request, inputs) => {
  if (ui.inPage) return null;
  const kernel = new Kernel(ui);
  const button = h("button", { type: "submit" }, "Run");
  const cancel = h("button", { type: "button", hidden: true }, "Cancel");
  const what = h("span", { class: "nh-copied" });
  const bar = h("progress", { hidden: true, "aria-label": "Rows measured" });
  const status = h("span", { role: "status" });
  const form = h("form", { class: "nh-row", novalidate: true }, ...inputs, button, cancel, what);
  const element = h("div", { class: "nh-run" }, form, h("div", { class: "nh-row" }, bar, status));
  let silent = false; // then what was running is not any more, for all we know

  /** @param {{ kind: string, [name: string]: any }} message */
  const send = (message) =>
    kernel.ask(message, (text) => {
      silent = true;
      status.textContent = `${text} What has been measured stays here.`;
      bar.hidden = true;
      refresh();
    });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { table, settings, sent, text } = request();
    if (!settings) {
      status.textContent = text;
      return;
    }
    status.textContent = "Asking Python …";
    send({ kind: "run", table, settings });
    sent?.();
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
    kernel.answered();
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
