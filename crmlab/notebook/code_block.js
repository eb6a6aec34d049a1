// A block of code and a button that copies it.

const SAID_MS = 3000;

// Browsers lend the clipboard to https and to this machine only; elsewhere the code is selected at least.
async function copy(block) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(block);
    return document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C or ⌘C";
  }
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "crmlab-code";
  const block = document.createElement("code");
  const pre = document.createElement("pre");
  pre.tabIndex = 0; // to be scrolled by keyboard
  pre.setAttribute("aria-label", "Code of this figure");
  pre.append(block);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy code";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  let timer = null;
  button.addEventListener("click", async () => {
    said.textContent = await copy(block);
    clearTimeout(timer);
    timer = setTimeout(() => { said.textContent = ""; }, SAID_MS);
  });
  const bar = document.createElement("div");
  bar.append(button, said);
  root.append(bar, pre);
  el.append(root);

  const show = () => { block.textContent = model.get("code"); };
  model.on("change:code", show);
  show();
  return () => {
    clearTimeout(timer);
    model.off("change:code", show);
  };
}

export default { render };
