// What forms are made of. Goes before login.js in one module: a widget's code is one text.

const MARKS = { error: "⚠ ", refused: "⚠ ", ok: "✓ ", busy: "", idle: "" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const uniqueId = () => `crmlab-${Math.random().toString(36).slice(2)}`;

const link = (url) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url);

// Text with its https addresses as links.
const linked = (text) =>
  text.split(/(https:\/\/[^\s<>"')]*[^\s<>"').,;:])/).map((part, i) => (i % 2 ? link(part) : part));

const optional = () => make("span", { class: "optional" }, " (optional)");

// An input with its label on the left and what helps below.
function labelled(label, help, attributes = {}, ...beside) {
  const id = uniqueId();
  const input = make("input", {
    id,
    type: "text",
    "aria-describedby": `${id}-help`,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false", // a shown key must not go to an online spelling service
    "data-1p-ignore": true,
    "data-lpignore": "true",
    ...attributes,
  });
  const entry = make("div", { class: "entry" }, input, ...beside);
  const below = make("p", { class: "help", id: `${id}-help` }, ...linked(help));
  const element = make("div", { class: "row" }, make("label", { for: id }, ...label), make("div", {}, entry, below));
  return { element, input };
}

function statusLine(attributes = {}) {
  const element = make("p", { class: "status", role: "status", "aria-live": "polite", ...attributes });
  const say = (kind, text) => {
    element.className = `status ${kind}`;
    element.textContent = text && MARKS[kind] + text;
  };
  return { element, say };
}

// One credential or setting of a provider.
function fieldRow(field) {
  const show = make("button", { type: "button", class: "show", "aria-label": `Show ${field.label}` });
  const { element, input } = labelled(
    [field.label, ...(field.required || field.default ? [] : [optional()])], field.help,
    field.secret ? {} : { value: field.default }, ...(field.secret ? [show] : []));
  let inEnvironment = false;
  const reveal = (on) => {
    input.type = on ? "text" : "password";
    show.textContent = on ? "Hide" : "Show";
    show.setAttribute("aria-pressed", String(on));
  };
  if (field.secret) {
    show.addEventListener("click", () => reveal(input.type === "password"));
    reveal(false);
  }
  return {
    element,
    field,
    fill(text) {
      input.value = text;
    },
    // Before it is checked: an address of one's own spares the settings that are part of the provider's.
    prepare(ownAddress) {
      input.required = field.required && !inEnvironment && !(ownAddress && field.in_address);
    },
    take() {
      if (field.secret) reveal(false);
      return input.value;
    },
    forget() {
      if (field.secret) input.value = "";
    },
    found(found) {
      const there = found.fields.includes(field.name);
      if (field.secret) {
        inEnvironment = there;
        input.placeholder = there ? "found, leave empty to use it" : "";
      } else if (there && input.value === field.default) {
        input.value = found.settings[field.name];
      }
    },
  };
}

// What lines NAME=value of a .env file say, by name; empty for any other text.
const assigned = (text) =>
  new Map([...text.matchAll(/^\s*(?:export\s+)?([A-Z]\w*)[ \t]*=[ \t]*(.*?)[ \t]*$/gm)].map(([, name, value]) => [name, value]));
