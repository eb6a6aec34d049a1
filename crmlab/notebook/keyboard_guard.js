// Keeps keys that are pressed in the box around it from the notebook, whose shortcuts would take them: "d" twice
// on a button deletes the cell.

function render({ el }) {
  const keep = ({ target }) => {
    if (el.parentElement?.contains(target)) target.setAttribute("data-lm-suppress-shortcuts", "true");
  };
  document.addEventListener("focusin", keep);
  return () => document.removeEventListener("focusin", keep);
}

export default { render };
