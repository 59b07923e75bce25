// Draws one chat item. All texts go in as text nodes: nothing that an account or a follower wrote becomes markup.

export const words = JSON.parse(document.getElementById("words").textContent);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// The same account or person always has the same one of eight colours.
export function tint(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return `tint-${sum % 8}`;
}

export function initial(name) {
  return [...name][0]?.toUpperCase() ?? "?";
}

export function isWebAddress(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

const media = (id) => `/pic/${encodeURIComponent(id)}`;

function link(address, ...children) {
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// Of all HTML, a text may hold links; whatever else looks like a tag is shown as it was written.
const ANCHOR = /<a\s([^>]*)>([\s\S]*?)<\/a>|(https?:\/\/[^\s<>"'，。；！？、（）【】]+)/gi;

export function richText(text, onMenuItem) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(ANCHOR)) {
    parts.push(text.slice(end, found.index), anchor(found, onMenuItem));
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

function anchor([whole, attributes, label, bare], onMenuItem) {
  if (bare) return isWebAddress(bare) ? link(bare, bare) : bare;
  const quoted = (name) => attributes.match(new RegExp(`${name}\\s*=\\s*["']([^"']*)["']`, "i"))?.[1];
  const plain = label.replace(/<[^>]*>/g, "");
  const address = (quoted("href") ?? "").replaceAll("&amp;", "&");
  if (address.startsWith("weixin://bizmsgmenu")) {
    const query = new URLSearchParams(address.split("?")[1] ?? "");
    const content = query.get("msgmenucontent") ?? plain;
    return make("button", { type: "button", class: "text-link", onclick: () => onMenuItem(content, query.get("msgmenuid") ?? "") }, plain);
  }
  if (quoted("data-miniprogram-appid")) {
    return make("span", { class: "text-link", title: words.opens_nothing }, icon("app-window"), plain);
  }
  return isWebAddress(address) ? link(address, plain) : whole;
}

function picture(address, name, className) {
  const image = make("img", { src: address, alt: name, class: className, loading: "lazy", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(make("span", { class: `${className} blank`, role: "img", "aria-label": name }, icon("image"))));
  return image;
}

function voice(item) {
  const seconds = item.seconds ?? 2;
  const button = make("button", { type: "button", class: "voice", "aria-label": `${words.voice} ${seconds}″` }, icon("volume-2"), make("span", { class: "waves" }), `${seconds}″`);
  button.addEventListener("click", () => {
    button.classList.add("playing");
    const stop = () => button.classList.remove("playing");
    const sound = new Audio(media(item.media_id));
    sound.addEventListener("ended", stop);
    // AMR is what phones record; browsers cannot play it, so the bars move in its place.
    sound.play().catch(() => setTimeout(stop, seconds * 1000));
  });
  return button;
}

function video(item) {
  const film = make("video", { src: media(item.media_id), controls: true, preload: "metadata", "aria-label": item.title || words.video });
  film.addEventListener("error", () => film.replaceWith(make("span", { class: "film", role: "img", "aria-label": item.title || words.video }, icon("play"))));
  const caption = item.title || item.description;
  return make("div", { class: "video" }, film, caption ? make("p", { class: "caption" }, caption) : "");
}

function music(item) {
  const address = item.hq_music_url || item.music_url;
  const inside = [
    picture(media(item.thumb_media_id), "", "cover"),
    make("span", { class: "lines" }, make("b", {}, item.title || words.voice), make("small", {}, item.description)),
    icon("music"),
  ];
  return isWebAddress(address) ? link(address, ...inside) : make("div", {}, ...inside);
}

function article(one, className, isFirst) {
  const title = one.title || words.article;
  const image = isWebAddress(one.picurl) ? picture(one.picurl, "", className === "lead" ? "hero" : "thumb") : "";
  const alone = isFirst && one.description ? make("small", {}, one.description) : "";
  const inside = className === "lead" ? [image, make("span", { class: "lines" }, make("b", {}, title), alone)] : [make("b", {}, title), image];
  return isWebAddress(one.url) ? make("a", { href: one.url, target: "_blank", rel: "noopener noreferrer", class: className }, ...inside) : make("div", { class: className }, ...inside);
}

function news(item) {
  const [first, ...others] = item.articles;
  return make("div", { class: "news" }, article(first, "lead", others.length === 0), ...others.map((one) => article(one, "row", false)));
}

function menuOfAnswers(item, onMenuItem) {
  const buttons = item.items.map((one) => make("button", { type: "button", class: "choice", onclick: () => onMenuItem(one.content, one.id) }, one.content));
  return make("div", { class: "answers" }, item.head ? make("p", {}, ...richText(item.head)) : "", ...buttons, item.tail ? make("p", {}, ...richText(item.tail)) : "");
}

function miniprogram(item) {
  return make(
    "div",
    { class: "mini", title: words.opens_nothing },
    make("p", { class: "lines" }, make("b", {}, item.title || words.miniprogram)),
    picture(media(item.thumb_media_id), item.title, "hero"),
    make("small", { class: "origin" }, icon("app-window"), words.miniprogram),
  );
}

function place(item) {
  return make("div", { class: "place" }, make("p", { class: "lines" }, make("b", {}, item.text || words.location)), make("span", { class: "map" }, icon("map-pin")));
}

// Lines as "What:Coffee"; a tap leads on, to a page unless a Mini Program comes first.
function form(item) {
  const inside = [make("b", {}, item.title), ...item.text.split("\n").map((line) => make("span", {}, line))];
  const lines = make("p", { class: "lines" }, ...inside);
  if (item.appid) return make("div", { class: "form", title: words.opens_nothing }, lines, make("small", { class: "origin" }, icon("app-window"), words.miniprogram));
  return isWebAddress(item.url) ? make("a", { href: item.url, target: "_blank", rel: "noopener noreferrer", class: "form" }, lines) : make("div", { class: "form" }, lines);
}

function pictures(item) {
  return make("div", {}, ...(item.media_ids ?? [item.media_id]).map((id) => link(media(id), picture(media(id), words.photo, "photo"))));
}

const CARDS = {
  image: pictures,
  template: form,
  voice,
  video,
  shortvideo: video,
  mpvideo: video,
  music,
  news: (item) => (item.articles?.length ? news(item) : item.text),
  mpnews: (item) => (item.articles?.length ? news(item) : item.text),
  msgmenu: menuOfAnswers,
  miniprogrampage: miniprogram,
  location: place,
  link: (item) => (isWebAddress(item.url) ? link(item.url, icon("link"), item.text || item.url) : item.text),
};

const BARE = new Set(["image", "video", "shortvideo", "mpvideo", "news", "mpnews", "template", "music", "miniprogrampage", "location"]);

// What happened besides messages, as a grey line; taps on the menu leave no trace.
const LINES = { subscribe: words.you_followed, unsubscribe: words.you_left, SCAN: words.you_scanned };

export function draw(item, account, me, onMenuItem) {
  if (item.kind === "notice") return make("p", { class: "line", "data-kind": "notice" }, item.text);
  if (item.type === "event") {
    const said = LINES[item.event];
    return said ? make("p", { class: "line" }, item.event === "SCAN" && item.text ? `${said} · ${item.text}` : said) : null;
  }
  const isMine = item.kind === "mine";
  const card = CARDS[item.type]?.(item, onMenuItem);
  const body = card ? [card] : item.text ? richText(item.text, onMenuItem) : [`[${item.type}]`];
  const bubble = make("div", { class: `bubble ${isMine ? "me" : "them"} ${BARE.has(item.type) ? "bare" : ""}`.trim(), "data-type": item.type, "data-kind": item.kind }, ...body);
  const name = isMine ? me.name : account.title;
  return make(
    "div",
    { class: `turn ${isMine ? "mine" : "theirs"}` },
    make("span", { class: `avatar ${tint(name)}`, "aria-hidden": "true" }, initial(name)),
    make("div", { class: "column" }, make("span", { class: "hidden" }, `${isMine ? words.from_me : words.from_account}: `), bubble, item.is_ai ? make("small", { class: "ai" }, words.ai) : ""),
  );
}
