// The account's menu: up to three buttons, some of which open up to five more.

import { icon, make } from "./bubbles.js";

export function menuButton(button, tap) {
  const subs = button.sub_button ?? [];
  if (subs.length === 0) return make("div", { class: "slot" }, leaf(button, tap));
  const list = make("div", { class: "pop", role: "menu", hidden: true }, ...subs.map((sub) => leaf(sub, tap, "menuitem")));
  const opener = make("button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "data-menu-parent": button.name }, icon("chevron-up"), make("span", {}, button.name));
  opener.addEventListener("click", () => {
    const opens = list.hidden;
    closeMenus();
    list.hidden = !opens;
    opener.setAttribute("aria-expanded", String(opens));
    if (opens) list.querySelector("button").focus();
  });
  list.addEventListener("keydown", (event) => {
    const items = [...list.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    }
  });
  return make("div", { class: "slot" }, list, opener);
}

function leaf(button, tap, role) {
  const press = () => {
    closeMenus();
    tap(button);
  };
  return make("button", { type: "button", role, "data-menu-key": button.key ?? button.url ?? button.name, "data-menu-type": button.type, onclick: press }, make("span", {}, button.name));
}

export function closeMenus(focus) {
  for (const list of document.querySelectorAll(".pop:not([hidden])")) {
    list.hidden = true;
    const opener = list.parentElement.querySelector("[aria-haspopup]");
    opener.setAttribute("aria-expanded", "false");
    if (focus) opener.focus();
  }
}
