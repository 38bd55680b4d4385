// The count of regions by PyTorch, where there is a kernel.
/** @import { Frame } from "../common/frame.js" */
import { h } from "../common/elements.js";
import { Kernel } from "../common/kernel.js";
import { percent, plural } from "../common/words.js";

/** @type {(message: any) => string} */
const wordsOf = ({ kind, regions, redundancy, message }) => {
  switch (kind) {
    case "counting":
      return "PyTorch trains the same network …";
    case "counted":
      return `PyTorch, exactly: ${plural(regions, "region")}, redundancy ratio ${percent(redundancy)}.`;
    default:
      return `PyTorch could not: ${message}`;
  }
};

/**
 * Return what asks for the count, its answer as an element, and what takes that away.
 * @param {Frame} ui
 * @param {() => HTMLButtonElement} button which waits while PyTorch counts
 */
export const exactCount = (ui, button) => {
  const kernel = new Kernel(ui);
  const element = h("p", { class: "nh-counted", role: "status" });
  kernel.hear((message) => {
    kernel.answered();
    button().disabled = message.kind === "counting";
    element.textContent = wordsOf(message);
  });
  return {
    element,
    ask() {
      button().disabled = true;
      kernel.ask({ kind: "count" }, (text) => {
        button().disabled = false;
        element.textContent = `${text} All else works without it.`;
      });
    },
  };
};
