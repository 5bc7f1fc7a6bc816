"use strict";
// The way to the server. Event streams are read with fetch, because EventSource tells nobody whether it was refused
// (sign in) or lost (try again), and sends Last-Event-ID only where it reconnects by itself.

const SILENCE = 20000; // ms; the server says something every 15 s at least
const PAUSES = [300, 600, 1200, 2500, 5000]; // ms before the next try

class Answered extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function check(response) {
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Answered(response.status, said.error?.code ?? "", said.error?.message ?? `status ${response.status}`);
}

async function getJson(path) {
  return (await check(await fetch(path, { cache: "no-store" }))).json();
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await check(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }))).json();
}

/** Call `take(event, data, id)` for every event of a stream until it ends. Throws Answered when refused, anything else
 * when the line broke. `signal` ends it. */
async function readEvents(path, { signal, lastId = "", take, opened = () => {} }) {
  const silence = new AbortController();
  let watch = setTimeout(() => silence.abort(), SILENCE);
  const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
  try {
    const ends = AbortSignal.any([signal, silence.signal]);
    const response = await check(await fetch(path, { headers, cache: "no-store", signal: ends }));
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(watch);
      watch = setTimeout(() => silence.abort(), SILENCE);
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) takeBlock(block, take);
    }
  } finally {
    clearTimeout(watch);
  }
}

function takeBlock(block, take) {
  let [event, data, id] = ["message", [], ""];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const [name, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    if (name === "event") event = value;
    else if (name === "id") id = value;
    else if (name === "data") data.push(value);
  }
  if (data.length) take(event, JSON.parse(data.join("\n")), id);
}

/** The overview's stream, for as long as the page is open: reconnects by itself and goes on where it was.
 * `tell(state, detail)`: connecting, live, lost, refused. */
class Line {
  constructor(take, tell) {
    this.take = take;
    this.tell = tell;
    this.lastId = "";
    this.tries = 0;
    this.wake = () => {};
    this.stopped = new AbortController();
    addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  async run() {
    this.stopped = new AbortController();
    this.tries = 0;
    const { signal } = this.stopped;
    while (!signal.aborted) {
      this.tell(this.tries || this.lastId ? "lost" : "connecting");
      try {
        await readEvents("/console/events", { signal, lastId: this.lastId, take: (...frame) => this.frame(...frame) });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Answered && (error.status === 401 || error.status === 403)) {
          this.tell("refused", error);
          return;
        }
        if (error instanceof Answered) this.tell("lost", error);
        else if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      }
      if (signal.aborted) return;
      if (!this.tries) this.tell("lost");
      await this.rest();
    }
  }

  stop() {
    this.stopped.abort();
  }

  frame(event, data, id) {
    this.tries = 0;
    if (id) this.lastId = id;
    this.take(event, data);
    this.tell("live");
  }

  rest() {
    const pause = PAUSES[Math.min(this.tries++, PAUSES.length - 1)] * (0.8 + 0.4 * Math.random());
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
