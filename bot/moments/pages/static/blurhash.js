// A blur where a photo will be: a few cosines, drawn on a tiny canvas that the browser stretches.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
const SIDE = 24;

const number = (text) => [...text].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0);
const toLinear = (value) => { const v = value / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const toByte = (value) => { const v = Math.max(0, Math.min(1, value)); return Math.round(255 * (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055)); };
const squared = (value) => Math.sign(value) * value * value;

function colours(hash) {
  const size = number(hash[0]);
  const across = (size % 9) + 1;
  const down = Math.floor(size / 9) + 1;
  if (hash.length !== 4 + 2 * across * down) return null;
  const most = (number(hash[1]) + 1) / 166;
  const base = number(hash.slice(2, 6));
  const found = [[toLinear(base >> 16), toLinear((base >> 8) & 255), toLinear(base & 255)]];
  for (let at = 1; at < across * down; at += 1) {
    const value = number(hash.slice(4 + at * 2, 6 + at * 2));
    found.push([Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((each) => squared((each - 9) / 9) * most));
  }
  return { across, down, found };
}

export function paint(photo) {
  const image = photo.querySelector("img");
  const hash = photo.dataset.blur;
  delete photo.dataset.blur;
  photo.removeAttribute("data-blur");
  if (!hash || !image || image.complete) return;
  const known = colours(hash);
  if (!known) return;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(SIDE, SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const sum = [0, 0, 0];
      for (let j = 0; j < known.down; j += 1) {
        for (let i = 0; i < known.across; i += 1) {
          const wave = Math.cos((Math.PI * x * i) / SIDE) * Math.cos((Math.PI * y * j) / SIDE);
          known.found[i + j * known.across].forEach((colour, at) => { sum[at] += colour * wave; });
        }
      }
      pixels.data.set([...sum.map(toByte), 255], 4 * (x + y * SIDE));
    }
  }
  context.putImageData(pixels, 0, 0);
  canvas.setAttribute("aria-hidden", "true");
  photo.prepend(canvas);
  image.addEventListener("load", () => canvas.remove(), { once: true });
}
