// The login form. What is typed goes to Python as a custom message and nowhere else: no synced
// trait, no storage, no log. Python answers with {kind: "show", found, status, accounts}.
// A key stays in its field until it was accepted or refused: after an error of the network it need not be typed again.

// On ipykernel 6 the message waits until the running cell ends; a closed kernel never answers.
const PATIENCE_MS = 8000;
const NO_ANSWER =
  "The kernel has not answered yet. It may be busy with another cell; " +
  "if the notebook was reopened or the kernel restarted, run this cell again.";
const LOST = "This form has lost its kernel, and the accounts with it: run this cell again.";
const SEVERAL = "Nothing was pasted, there are several lines: paste the key alone, or lines NAME=value of a .env file.";

function providerSection(provider, post) {
  const rows = provider.fields.map(fieldRow);
  const name = labelled(["Account name", optional()], "What tables call this account; two accounts need two names.", {
    placeholder: provider.name,
  });
  const address = labelled(["Own address", optional()], "In code it is called base_url. The key is sent there and nowhere else; https, or http on this computer. It is not remembered.", {
    placeholder: provider.base_url,
  });
  const remember = make("input", { type: "checkbox" });
  const status = statusLine();
  const badge = make("span", { class: "badge" });
  const connect = make("button", { type: "submit" }, "Connect");
  const offers = make("div", { class: "offers" });
  let offered = "";
  let names = [];
  let waiting = null;
  let busy = false;
  let attempt = ""; // which press of Connect is not answered yet

  function say(kind, text) {
    clearTimeout(waiting);
    status.say(kind, text);
    busy = kind === "busy";
    // not `disabled`: the focus would fall to the notebook, whose shortcuts delete cells
    for (const button of form.querySelectorAll(".waits")) button.setAttribute("aria-disabled", String(busy));
  }

  function send(kind, content) {
    if (busy) return;
    say("busy", "sent to the kernel…");
    waiting = setTimeout(() => say("error", NO_ANSWER), PATIENCE_MS);
    if (!post({ kind, provider: provider.name, ...content })) say("error", LOST);
  }

  // Asked before the key is sent, so that it need not be typed again.
  function isFree(wanted) {
    const taken = names.includes(wanted || provider.name);
    name.input.setCustomValidity(taken ? `"${wanted || provider.name}" is connected already: give this account another name` : "");
    return !taken;
  }

  function use(wanted) {
    if (isFree(wanted)) send("connect", { name: wanted, fields: {} });
    else name.input.reportValidity();
  }

  function submit(event) {
    event.preventDefault();
    const wanted = name.input.value.trim();
    isFree(wanted);
    for (const row of rows) row.prepare(address.input.value.trim() !== "");
    if (busy || !form.reportValidity()) return;
    const fields = Object.fromEntries(rows.map((row) => [row.field.name, row.take()]));
    attempt = uniqueId();
    send("connect", { name: wanted, address: address.input.value, remember: remember.checked, fields, attempt });
  }

  // What was typed is of no more use once the key was accepted or refused.
  function settle(news) {
    if (!attempt || news.attempt !== attempt || news.kind === "busy") return;
    attempt = "";
    if (news.kind === "error") return;
    for (const row of rows) row.forget();
    if (news.kind !== "ok") return;
    name.input.value = address.input.value = "";
    remember.checked = false;
  }

  // An input would join the lines of what is pasted without a word.
  function paste(event) {
    const text = event.clipboardData.getData("text").trim();
    const values = assigned(text);
    const named = rows.filter((row) => values.has(row.field.variable));
    if (!named.length && !/[\r\n]/.test(text)) return;
    event.preventDefault();
    for (const row of named) row.fill(values.get(row.field.variable));
    if (named.length) say("idle", `Filled in: ${named.map((row) => row.field.label).join(", ")}`);
    else say("error", SEVERAL);
  }

  function offer(text, label, wanted, useable, forgettable) {
    const button = (word, what, onclick) =>
      make("button", { type: "button", class: "waits", "aria-label": `${word} ${what}`, onclick }, word);
    return make("div", { class: "actions" }, make("span", {}, text),
      ...(useable ? [button("Use", label, () => use(wanted()))] : []),
      ...(forgettable ? [button("Forget", label, () => send("forget", { name: forgettable }))] : []));
  }

  function showOffers({ complete, remembered }) {
    const news = JSON.stringify([complete, remembered]);
    if (news === offered) return;
    offered = news;
    const focused = offers.contains(document.activeElement);
    const unnamed = remembered.includes(provider.name);
    const first = complete || unnamed
      ? [offer(unnamed ? "Found in the keyring or the environment." : "Found in the environment.",
          `${provider.title} as found`, () => name.input.value.trim(), complete, unnamed && provider.name)]
      : [];
    const named = remembered.filter((each) => each !== provider.name).map((each) =>
      offer(make("span", {}, "Remembered: ", make("strong", {}, each)), `${provider.title} ${each}`, () => each, true, each));
    offers.replaceChildren(...first, ...named);
    if (focused) name.input.focus(); // the button is gone; the focus must not fall to the notebook
  }

  connect.classList.add("waits");
  const form = make("form", { autocomplete: "off", novalidate: true, onsubmit: submit, onpaste: paste },
    offers,
    ...rows.map((row) => row.element),
    name.element,
    make("details", { class: "address" },
      make("summary", {}, "Own address: on-premises, proxy or test server"), address.element),
    make("div", { class: "actions" }, connect,
      make("label", { class: "check" }, remember, "Remember on this computer, in the system keyring")),
    status.element,
  );
  name.input.addEventListener("input", () => name.input.setCustomValidity(""));

  return {
    element: make("details", { class: "section", open: true }, make("summary", {}, provider.title, badge), form),
    isKnown: ({ found, accounts }) =>
      found[provider.name].complete || found[provider.name].remembered.length > 0 || found[provider.name].problem !== "" ||
      accounts.some((account) => account.provider === provider.name),
    show(message) {
      const news = message.status[provider.name];
      const found = message.found[provider.name];
      names = message.accounts.filter((account) => account.provider === provider.name).map((account) => account.name);
      for (const row of rows) row.found(found);
      showOffers(found);
      badge.textContent = names.length ? `${names.length} connected` : found.complete ? "found" : "";
      if (news) {
        settle(news);
        say(news.kind, news.text);
      }
      else if (found.problem) say("error", `In the environment: ${found.problem}`);
    },
  };
}

function accountList(post) {
  const title = uniqueId();
  const items = make("ul", { tabindex: "-1", "aria-labelledby": title });
  const remove = (account) => {
    post({ kind: "remove", provider: account.provider, name: account.name });
    items.focus(); // the button goes away; the focus must not fall to the notebook
  };
  const item = (account) =>
    make("li", {},
      make("span", {}, make("strong", {}, account.title), account.name === account.provider ? "" : ` · ${account.name}`),
      make("span", {}, account.reached),
      make("button", { type: "button", "aria-label": `Remove ${account.title} ${account.name}`, onclick: () => remove(account) }, "Remove"));
  const element = make("div", { hidden: true }, make("h4", { id: title }, "Connected accounts"), items);
  return {
    element,
    show({ accounts }) {
      const focused = items.contains(document.activeElement);
      items.replaceChildren(...accounts.map(item));
      element.hidden = accounts.length === 0;
      if (focused && accounts.length) items.focus();
    },
  };
}

// Which services the user has: those that are known from the start, and those he ticks.
function chooser(providers, sections) {
  const boxes = sections.map((section) => {
    const box = make("input", { type: "checkbox", onchange: () => { section.element.hidden = !box.checked; } });
    section.element.hidden = true;
    return box;
  });
  const chips = providers.map((provider, i) => make("label", { class: "chip" }, boxes[i], provider.title));
  let first = true;
  return {
    element: make("fieldset", {}, make("legend", {}, "Which of these do you have?"), ...chips),
    show(message) {
      sections.forEach((section, i) => {
        if (!first || !section.isKnown(message)) return;
        boxes[i].checked = true;
        section.element.hidden = false;
      });
      first = false;
    },
  };
}

function render({ model, el }) {
  const lost = statusLine({ role: "alert", "aria-live": "assertive" });
  // Whether it could be sent; it throws once the kernel is gone.
  const post = (content) => {
    try {
      model.send(content);
      lost.say("idle", "");
      return true;
    } catch {
      lost.say("error", LOST);
      return false;
    }
  };
  const providers = model.get("sections");
  const sections = providers.map((provider) => providerSection(provider, post));
  const top = model.get("choose") ? [chooser(providers, sections)] : [];
  const parts = [...top, ...sections, accountList(post)];
  const root = make("div", { class: "crmlab-login", "data-lm-suppress-shortcuts": "true", "data-jp-suppress-context-menu": true },
    lost.element, ...parts.map((part) => part.element));
  for (const type of ["keydown", "keypress", "keyup"]) root.addEventListener(type, (event) => event.stopPropagation());
  // Notebook 7 listens before this does, and looks for the attribute on what has the focus only
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  el.append(root);

  const show = (message) => message.kind === "show" && parts.forEach((part) => part.show(message));
  const ready = () => post({ kind: "ready" });
  model.on("msg:custom", show);
  model.on("comm_live_update", ready); // JupyterLab's word for a kernel that restarts
  ready();
  return () => {
    model.off("msg:custom", show);
    model.off("comm_live_update", ready);
  };
}

export default { render };
