// The photos of one post, large: swipe or arrow keys, Esc closes, and the focus goes back to where it was.

const zh = document.documentElement.lang.startsWith("zh");
const WORDS = zh ? { close: "关闭", before: "上一张", after: "下一张", of: "第 {n} 张，共 {all} 张" } : { close: "Close", before: "Before", after: "After", of: "Photo {n} of {all}" };

function button(name, sign, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = sign;
  made.setAttribute("aria-label", WORDS[name]);
  made.addEventListener("click", act);
  return made;
}

export function openViewer(photo) {
  const photos = [...photo.parentElement.querySelectorAll("[data-photo]")];
  let at = photos.indexOf(photo);
  const dialog = document.createElement("dialog");
  dialog.className = "viewer";
  const image = document.createElement("img");
  const line = document.createElement("p");
  line.setAttribute("aria-live", "polite");

  const show = (to) => {
    at = Math.max(0, Math.min(photos.length - 1, to));
    const alt = photos[at].querySelector("img").alt;
    const place = WORDS.of.replace("{n}", at + 1).replace("{all}", photos.length);
    image.src = photos[at].href;
    image.alt = alt;
    line.textContent = alt === place || photos.length === 1 ? alt : `${alt} · ${at + 1}/${photos.length}`;
    before.disabled = at === 0;
    after.disabled = at === photos.length - 1;
  };
  const before = button("before", "‹", () => show(at - 1));
  const after = button("after", "›", () => show(at + 1));
  const close = button("close", "×", () => dialog.close());
  dialog.setAttribute("aria-label", WORDS.of.replace("{n}", at + 1).replace("{all}", photos.length));
  dialog.append(image, close, ...(photos.length > 1 ? [before, after] : []), line);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  });
  let from = null;
  dialog.addEventListener("touchstart", (event) => { from = event.touches.length === 1 ? event.touches[0] : null; }, { passive: true });
  dialog.addEventListener("touchend", (event) => {
    if (!from) return;
    const across = event.changedTouches[0].clientX - from.clientX;
    const down = event.changedTouches[0].clientY - from.clientY;
    if (Math.abs(across) > 45 && Math.abs(across) > Math.abs(down)) show(at + (across < 0 ? 1 : -1));
    else if (down > 90) dialog.close();
  });
  dialog.addEventListener("close", () => { dialog.remove(); photos[at].focus(); });
  document.body.append(dialog);
  show(at);
  dialog.showModal();
  close.focus();
}
