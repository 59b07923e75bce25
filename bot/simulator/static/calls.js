// Asks the simulator; what goes wrong becomes an Error that a person can read.

import { words } from "./bubbles.js";

export async function call(path, options = {}) {
  const answer = await fetch(path, options).catch(() => {
    throw new Error(words.unreachable);
  });
  const data = await answer.json().catch(() => ({})); // an error page is no JSON
  if (!answer.ok) throw new Error(data.error ?? `${answer.status} ${answer.statusText}`);
  return data;
}

export const post = (path, body) => call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
