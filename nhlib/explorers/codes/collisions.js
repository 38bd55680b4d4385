// The digits that share a code, as groups of pictures.

import { barcode, digitButton, rove } from "../common/digits.js";
import { grouped, h, plural } from "../common/parts.js";

const [GROUPS, PICTURES] = [6, 24]; // shared codes, and pictures of each

export const collisionsView = (ui, digits) => {
  const list = h("ol", { class: "nh-groups" });
  const none = h("p", {}, "Every digit has a code of its own.");
  const place = h("div", { class: "nh-view" }, none, list);
  const settle = rove(list);
  let state;
  let shown = [];

  const classesOf = (members) => {
    const counts = new Map();
    for (const i of members) counts.set(digits.labels[i], (counts.get(digits.labels[i]) ?? 0) + 1);
    return [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  };

  const group = (members) => {
    const classes = classesOf(members);
    const pictures = members.slice(0, PICTURES).map((i) => {
      const picture = digitButton(ui, digits);
      picture.other = digits.labels[i] !== classes[0][0];
      picture.show(i, picture.other);
      return picture;
    });
    shown.push(...pictures);
    const more = members.length - pictures.length;
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
      barcode(state, members[0]),
      h(
        "div",
        { class: "nh-pictures" },
        ...pictures.map(({ button }) => button),
        more ? h("span", {}, `and ${grouped(more)} more`) : null,
      ),
    );
  };

  const pure = () => state.shared.filter((members) => classesOf(members).length === 1).length;

  return {
    place,
    legend: (colors) => [
      { color: colors.series[1], mark: "dashes", text: "of another class than most of its group" },
      { color: colors.series[0], mark: "■", text: "unit on, in the code that they share" },
    ],
    words: () => {
      const { shared } = state;
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
    show(newState) {
      if (state !== newState) {
        state = newState;
        shown = [];
        none.hidden = state.shared.length > 0;
        list.replaceChildren(...state.shared.slice(0, GROUPS).map(group));
        settle();
      }
      for (const picture of shown) picture.show(picture.shown, picture.other);
    },
  };
};
