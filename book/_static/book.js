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
