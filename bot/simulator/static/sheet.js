// The small prompts of the phone: a place, a code, or a line of text.

import { icon, make, words } from "./bubbles.js";

const $ = (id) => document.getElementById(id);
const sheet = $("sheet");
const field = sheet.querySelector("input[name=value]");

const PLACES = [
  { label: "广州塔", latitude: 23.106574, longitude: 113.324587 },
  { label: "上海外滩", latitude: 31.239853, longitude: 121.499764 },
  { label: "北京国贸", latitude: 39.908823, longitude: 116.459871 },
  { label: "Marienplatz, München", latitude: 48.137154, longitude: 11.576124 },
];

// Resolves to the choice, to the typed text, or to null when it was cancelled.
function ask(title, label, choices, start = "") {
  $("sheet-title").textContent = title;
  $("sheet-label").textContent = label;
  field.value = start;
  let chosen = null;
  $("sheet-choices").replaceChildren(
    ...choices.map(({ name, symbol, value, note }) => {
      const pick = () => {
        chosen = value;
        sheet.close("chosen");
      };
      return make("button", { type: "button", class: "choice", onclick: pick }, icon(symbol), make("span", {}, name), note ? make("small", {}, note) : "");
    }),
  );
  return new Promise((answer) => {
    sheet.addEventListener("close", () => answer(sheet.returnValue === "chosen" ? chosen : sheet.returnValue === "ok" ? field.value.trim() || null : null), { once: true });
    sheet.returnValue = "";
    sheet.showModal();
    if (choices.length === 0) field.select();
  });
}

export const askText = (title, label, start) => ask(title, label, [], start);

export async function askPlace() {
  const answer = await ask(words.choose_place, words.place, PLACES.map((place) => ({ name: place.label, symbol: "map-pin", value: place })));
  return typeof answer === "string" ? { ...PLACES[0], label: answer } : answer;
}

export async function askScan(codes) {
  const choices = codes.map((code) => ({ name: code.scene, symbol: "scan-line", value: { ticket: code.ticket }, note: code.permanent ? "∞" : "" }));
  const answer = await ask(codes.length ? words.scan_codes : words.scan_none, words.scene, choices);
  return typeof answer === "string" ? { scene: answer } : answer;
}
// Enter in the field means OK: the first button of the form would be Cancel.
field.addEventListener("keydown", (pressed) => {
  if (pressed.key === "Enter" && !pressed.isComposing) {
    pressed.preventDefault();
    sheet.close("ok");
  }
});
