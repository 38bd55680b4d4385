// The theme lets the keyboard scroll code and tables that are too wide. Formulas need it too.
const reachFormulas = () => {
  /** @type {NodeListOf<HTMLElement>} */
  const formulas = document.querySelectorAll("div.math");
  for (const formula of formulas) {
    formula.tabIndex = formula.scrollWidth > formula.clientWidth ? 0 : -1;
  }
};
window.addEventListener("load", reachFormulas);
window.addEventListener("resize", reachFormulas);
for (const folded of document.querySelectorAll("details")) {
  folded.addEventListener("toggle", reachFormulas);
}

// A script of the theme takes Escape from links, so that the browser would leave the box of a claim
// open whose link has the focus.
document.addEventListener(
  "keydown",
  (event) => {
    /** @type {HTMLElement | null} */
    const box = document.querySelector(".claim-box:popover-open");
    if (event.key === "Escape") box?.hidePopover();
  },
  true,
);
