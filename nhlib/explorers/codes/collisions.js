// The digits that share a code, as groups of pictures.
/** @import { Digits } from "../common/digits.js" */
/** @import { Frame } from "../common/frame.js" */
/** @import { View } from "./codes.js" */
/** @import { Measured } from "./measured.js" */
import { barcode, digitButton, rove } from "../common/digits.js";
import { h } from "../common/elements.js";
import { grouped, plural } from "../common/words.js";

const [GROUPS, PICTURES] = [6, 24]; // shared codes, and pictures of each

/** @type {(ui: Frame, digits: Digits) => View} */
export const collisionsView = (ui, digits) => {
  const list = h("ol", { class: "nh-groups" });
  const none = h("p", {}, "Every digit has a code of its own.");
  const place = h("div", { class: "nh-view" }, none, list);
  const settle = rove(list);
  /** @type {Measured} */
  let measured;
  /** @type {(() => void)[]} */
  let pictures = []; // draw each anew

  /**
   * Its classes and how many digits each has, the largest first.
   * @type {(members: number[]) => [label: number, count: number][]}
   */
  const classesOf = (members) => {
    const counts = new Map();
    for (const i of members) counts.set(digits.labels[i], (counts.get(digits.labels[i]) ?? 0) + 1);
    return [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  };

  /** @param {number[]} members */
  const group = (members) => {
    const classes = classesOf(members);
    const buttons = members.slice(0, PICTURES).map((i) => {
      const { button, show } = digitButton(ui, digits);
      pictures.push(() => show(i, digits.labels[i] !== classes[0][0]));
      return button;
    });
    const more = members.length - buttons.length;
    return h(
      "li",
      {},
      h(
        "p",
        {},
        h("strong", {}, `${grouped(members.length)} digits, one code: `),
        classes.length === 1
          ? `all of class ${classes[0][0]}`
          : classes
              .map(([label, count], c) => `${count}\u00a0of${c ? "" : "\u00a0class"}\u00a0${label}`)
              .join(", "),
      ),
      barcode(measured, members[0]),
      h(
        "div",
        { class: "nh-pictures" },
        ...buttons,
        more ? h("span", {}, `and ${grouped(more)} more`) : null,
      ),
    );
  };

  const pure = () => measured.shared.filter((members) => classesOf(members).length === 1).length;

  return {
    place,
    legend: (colors) => [
      { color: colors.series[1], mark: "dashes", text: "of another class than most of its group" },
      { color: colors.series[0], mark: "■", text: "unit on, in the code that they share" },
    ],
    words: () => {
      const { shared } = measured;
      if (!shared.length) return "Every digit has a code of its own.";
      const sharing = shared.reduce((sum, members) => sum + members.length, 0);
      return (
        `${grouped(sharing)} digits share their code with others, in ` +
        `${plural(shared.length, "group")}, the largest of ${grouped(shared[0].length)}; ` +
        `${grouped(shared.length - pure())} of the groups mix classes.` +
        (shared.length > GROUPS ? ` The ${GROUPS} largest are shown.` : "")
      );
    },
    call: () => [
      "group = codes.groups()",
      "sizes = np.bincount(group)",
      "shared = np.flatnonzero(sizes > 1)",
      "mixed = sum(len(np.unique(labels[group == g])) > 1 for g in shared)",
      "print(sizes[shared].sum(), len(shared), sizes.max(), mixed)",
    ],
    show(now) {
      const others = measured !== now;
      if (others) {
        measured = now;
        pictures = [];
        none.hidden = now.shared.length > 0;
        list.replaceChildren(...now.shared.slice(0, GROUPS).map(group));
      }
      for (const show of pictures) show();
      if (others) settle();
    },
  };
};
