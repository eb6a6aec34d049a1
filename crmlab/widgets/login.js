// The login form. What is typed goes to Python as a custom message and nowhere else: no synced
// trait, no storage, no log. Python answers with {kind: "show", found, status, accounts}.

// On ipykernel 6 the message waits until the running cell ends; a closed kernel never answers.
const PATIENCE_MS = 8000;
const NO_ANSWER =
  "The kernel has not answered yet. It may be busy with another cell; " +
  "if the notebook was reopened or the kernel restarted, run this cell again.";
const LOST = "This form has lost its kernel: run this cell again.";
const MARKS = { error: "⚠ ", ok: "✓ ", busy: "", idle: "" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// Whether it could be sent; it throws once the kernel is gone.
function post(model, content) {
  try {
    model.send(content);
    return true;
  } catch {
    return false;
  }
}

const uniqueId = () => `crmlab-${Math.random().toString(36).slice(2)}`;

const link = (url) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url);

// Text with its https addresses as links.
const linked = (text) =>
  text.split(/(https:\/\/[^\s<>"')]*[^\s<>"').,;:])/).map((part, i) => (i % 2 ? link(part) : part));

const labelled = (label, ...rest) => make("div", { class: "row" }, label, make("div", {}, ...rest));

function fieldRow(field) {
  const id = uniqueId();
  const input = make("input", {
    id,
    type: field.secret ? "password" : "text",
    required: field.required,
    "aria-describedby": `${id}-help`,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false", // a shown key must not go to an online spelling service
    "data-1p-ignore": true,
    "data-lpignore": "true",
  });
  const entry = make("div", { class: "entry" }, input);
  const show = make("button", { type: "button", class: "show", "aria-label": `Show ${field.label}`, "aria-pressed": "false" }, "Show");
  const reveal = (on) => {
    input.type = on ? "text" : "password";
    show.textContent = on ? "Hide" : "Show";
    show.setAttribute("aria-pressed", String(on));
  };
  if (field.secret) {
    show.addEventListener("click", () => reveal(input.type === "password"));
    entry.append(show);
  } else {
    input.value = field.default;
  }
  const label = make("label", { for: id }, field.label);
  if (!field.required && !field.default) label.append(make("span", { class: "optional" }, " (optional)"));
  return {
    element: labelled(label, entry, make("p", { class: "help", id: `${id}-help` }, ...linked(field.help))),
    take() {
      const value = input.value;
      if (field.secret) {
        input.value = "";
        reveal(false);
      }
      return value;
    },
    found(found) {
      const there = found.fields.includes(field.name);
      if (field.secret) {
        input.required = !there;
        input.placeholder = there ? "found in the environment; leave empty to use it" : "";
      } else if (there && input.value === field.default) {
        input.value = found.settings[field.name];
      }
    },
  };
}

function providerSection(provider, open, model) {
  const rows = provider.fields.map((field) => ({ field, ...fieldRow(field) }));
  const id = uniqueId();
  const name = make("input", { id, type: "text", placeholder: provider.name, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-help` });
  const status = make("p", { class: "status", role: "status", "aria-live": "polite" });
  const badge = make("span", { class: "badge" });
  const connect = make("button", { type: "submit" }, "Connect");
  let names = [];
  let waiting = null;
  let busy = false;

  function say(kind, text) {
    status.className = `status ${kind}`;
    status.textContent = text && MARKS[kind] + text;
    busy = kind === "busy";
    // not `disabled`: the focus would fall to the notebook, whose shortcuts delete cells
    for (const button of [connect, use]) button.setAttribute("aria-disabled", String(busy));
  }

  function send(fields) {
    clearTimeout(waiting);
    waiting = setTimeout(() => say("error", NO_ANSWER), PATIENCE_MS);
    say("busy", "sent to the kernel…");
    if (!post(model, { kind: "connect", provider: provider.name, name: name.value, fields })) lost();
  }

  function lost() {
    clearTimeout(waiting);
    say("error", LOST);
  }

  // Asked before the key is sent, so that it need not be typed again.
  function nameIsFree() {
    const wanted = name.value.trim() || provider.name;
    const taken = names.includes(wanted);
    name.setCustomValidity(taken ? `"${wanted}" is connected already: give this account another name` : "");
    return !taken;
  }

  const use = make("button", {
    type: "button",
    "aria-label": `Use ${provider.title} as found in the environment`,
    onclick: () => (nameIsFree() ? busy || send({}) : name.reportValidity()),
  }, "Use");
  const found = make("div", { class: "actions", hidden: true }, make("p", { class: "found" }, "Found in the environment."), use);

  const form = make("form", {
    autocomplete: "off",
    novalidate: true, // checked below, once the name is
    onsubmit: (event) => {
      event.preventDefault();
      nameIsFree();
      if (busy || !form.reportValidity()) return;
      send(Object.fromEntries(rows.map((row) => [row.field.name, row.take()])));
    },
  },
    found,
    ...rows.map((row) => row.element),
    labelled(
      make("label", { for: id }, "Account name", make("span", { class: "optional" }, " (optional)")),
      make("div", { class: "entry" }, name),
      make("p", { class: "help", id: `${id}-help` }, "What tables call this account; two accounts need two names.")),
    make("div", { class: "actions" }, connect),
    status,
  );
  name.addEventListener("input", () => name.setCustomValidity(""));

  return {
    element: make("details", { open }, make("summary", {}, provider.title, badge), form),
    lost,
    show(message) {
      const news = message.status[provider.name];
      const environment = message.found[provider.name];
      names = message.accounts.filter((account) => account.provider === provider.name).map((account) => account.name);
      for (const row of rows) row.found(environment);
      found.hidden = !environment.complete;
      badge.textContent = names.length ? `${names.length} connected` : environment.complete ? "found in the environment" : "";
      if (news) {
        clearTimeout(waiting);
        if (news.kind === "ok" && busy) name.value = "";
        say(news.kind, news.text);
      } else if (environment.problem) say("error", `In the environment: ${environment.problem}`);
    },
  };
}

function accountList(model, lost) {
  const title = uniqueId();
  const items = make("ul", { tabindex: "-1", "aria-labelledby": title });
  const remove = (account) => {
    if (!post(model, { kind: "remove", provider: account.provider, name: account.name })) lost();
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

function render({ model, el }) {
  const providers = model.get("sections");
  const sections = providers.map((provider) => providerSection(provider, providers.length <= 2, model));
  const lost = () => sections.forEach((section) => section.lost());
  const accounts = accountList(model, lost);
  const parts = [...sections, accounts];
  const root = make("div", { class: "crmlab-login", "data-lm-suppress-shortcuts": "true", "data-jp-suppress-context-menu": true },
    ...parts.map((part) => part.element));
  for (const type of ["keydown", "keypress", "keyup"]) root.addEventListener(type, (event) => event.stopPropagation());
  // Notebook 7 listens before this does, and looks for the attribute on what has the focus only
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  el.append(root);

  const show = (message) => message.kind === "show" && parts.forEach((part) => part.show(message));
  model.on("msg:custom", show);
  if (!post(model, { kind: "ready" })) lost();
  return () => model.off("msg:custom", show);
}

export default { render };
