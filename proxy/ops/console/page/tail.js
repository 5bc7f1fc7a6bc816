"use strict";
// One stream, watched: its figures, its attempts, the gaps between its pieces, and what it says as it says it. Where
// the server does not show what streams say, sizes stand in its place. What is kept here is bounded.

const MOST = { chars: 200000, nodes: 600, node: 4000, gaps: 150 };

const tail = {
  form: "text",
  reading: null,
  chars: 0,
  gaps: [],
  last: null,
  dirty: false,
  follow: true,
  over: "",
  opened: "",
};

const FACTS = [
  ["Phase", (row) => (row.ended ?? row.phase).replaceAll("_", " ")],
  ["Age", (row) => showSeconds(ageOf(row))],
  ["First token", (row) => showMs(row.ttft_ms)],
  ["tok/s", (row) => (row.phase === "streaming" ? showRate(row.per_second) : NONE)],
  ["Still for", (row) => showSeconds(stillOf(row)), toneOfStill],
  ["Pieces", (row) => showCount(row.substance)],
  ["Events", (row) => showCount(row.events)],
  ["Bytes down", (row) => showBytes(row.bytes_down)],
  ["Bytes up", (row) => showBytes(row.bytes_up)],
  ["Account", (row) => accountOf(row) || NONE],
  ["Dialect", (row) => row.dialect || NONE],
  ["Answered by", (row) => row.model || NONE],
];

function watch(id) {
  if (tail.reading && view.watched === id) return;
  view.watched = id;
  find("main").dataset.tail = "open";
  find("tail").hidden = false;
  tail.gaps = [];
  tail.over = "";
  tail.row = state.rows.get(id);
  readTail();
  drawTail();
  drawStreams();
}

function closeTail() {
  tail.reading?.abort();
  tail.reading = null;
  view.watched = "";
  delete find("main").dataset.tail;
  find("tail").hidden = true;
  drawStreams();
  rowOf(view.cursor)?.focus({ preventScroll: true });
}

async function readTail() {
  tail.reading?.abort();
  const reading = (tail.reading = new AbortController());
  find("tail-body").replaceChildren();
  Object.assign(tail, { chars: 0, last: null, over: "", opened: "", follow: true });
  const path = `/console/streams/${encodeURIComponent(view.watched)}?form=${tail.form}`;
  const take = (event, data) => (reading.signal.aborted ? null : takeTail(event, data));
  try {
    await readEvents(path, { signal: reading.signal, take });
    if (!tail.over) tail.over = "The line broke.";
  } catch (error) {
    if (reading.signal.aborted) return;
    if (error instanceof Answered) tail.over = error.status === 404 ? "It is over." : error.message;
    else tail.over = "The line broke.";
  }
  tail.dirty = true;
}

function takeTail(event, data) {
  if (event === "open") openTail(data);
  else if (event === "text") for (const piece of data.pieces) addPiece(piece);
  else if (event === "events") for (const one of data.events) addEvent(one);
  else if (event === "sizes") for (const piece of data.pieces) addSize(piece);
  else if (event === "lost")
    addLine("lost", make("span", {}, `… ${showBytes(data.bytes)} not shown, it came too fast …`));
  else if (event === "end") {
    tail.over = `Ended: ${[data.end_reason?.replaceAll("_", " "), data.error].filter(Boolean).join(", ")}`;
    addLine("over", make("span", {}, tail.over));
  }
  tail.dirty = true;
}

function openTail({ content }) {
  mark(find("tail"), "data-content", content ? "yes" : "no");
  tail.opened = content ? "from here on" : "sizes only: what streams say is not shown here";
}

function addPiece({ kind, text, name, at }) {
  noteGap(at);
  const body = find("tail-body");
  let node = body.lastElementChild;
  if (node?.dataset.kind !== kind || name || node.size > MOST.node) {
    node = make("span", { class: "piece", "data-kind": kind, "data-name": name });
    if (node.dataset.kind !== body.lastElementChild?.dataset.kind || name) node.dataset.first = "";
    node.size = 0;
    body.append(node);
  }
  const written = text ?? "";
  node.append(written);
  grow(node, written.length);
}

function addEvent({ at, event, data, id, cut }) {
  const gap = noteGap(at);
  const more = cut ? make("i", {}, ` … ${showBytes(cut)}`) : null;
  const name = [event, id && `#${id}`].filter(Boolean).join(" ");
  addLine("event", make("time", {}, showGap(gap)), name ? make("b", {}, name) : null, make("code", {}, data), more);
}

function addSize({ at, kind, chars, bytes }) {
  const gap = noteGap(at);
  addLine(
    "size",
    make("time", {}, showGap(gap)),
    make("b", {}, kind),
    make("span", {}, `${showCount(chars)} characters`),
    make("span", {}, showBytes(bytes)),
  );
}

function addLine(kind, ...children) {
  const node = make("div", { class: "line", "data-kind": kind }, ...children);
  node.size = 0;
  find("tail-body").append(node);
  grow(node, node.textContent.length);
}

function grow(node, chars) {
  const body = find("tail-body");
  node.size += chars;
  tail.chars += chars;
  while ((tail.chars > MOST.chars || body.childElementCount > MOST.nodes) && body.firstElementChild !== node) {
    tail.chars -= body.firstElementChild.size;
    body.firstElementChild.remove();
  }
}

const showGap = (gap) => (gap === null ? "" : `+${showMs(gap)}`);

function noteGap(at) {
  const gap = tail.last === null ? null : Math.max(0, (at - tail.last) * 1000);
  tail.last = at;
  if (gap !== null) tail.gaps.push(gap);
  if (tail.gaps.length > MOST.gaps) tail.gaps.splice(0, tail.gaps.length - MOST.gaps);
  return gap;
}

function drawTail() {
  if (!view.watched) return;
  const row = (tail.row = state.rows.get(view.watched) ?? tail.row);
  if (!row) return;
  write(find("tail-title"), `${row.client ?? row.remote} · ${modelOf(row)}`);
  write(find("tail-id"), `${row.id}  ${row.method} ${row.route}`);
  find("tail-kill").disabled = Boolean(row.ended) || Boolean(tail.over) || !state.rows.has(row.id);
  keep(
    find("facts"),
    FACTS,
    (fact) => fact[0],
    ([name]) => make("div", {}, make("dt", {}, name), make("dd", {})),
    (node, [, text, tone]) => {
      write(node.lastChild, text(row));
      mark(node.lastChild, "title", text(row));
      mark(node.lastChild, "data-tone", tone ? tone(row) : "");
    },
  );
  drawTrail(find("tail-trail"), row.trail.length > 1 || row.trail.some((one) => one.error) ? row.trail : []);
  drawGaps();
  write(
    find("tail-note"),
    tail.over || (row.ended && `Ended: ${row.ended.replaceAll("_", " ")}`) || tail.opened || "opening",
  );
  mark(find("follow"), "aria-pressed", String(tail.follow));
  if (tail.follow && tail.dirty) find("tail-body").scrollTop = find("tail-body").scrollHeight;
  tail.dirty = false;
  for (const button of find("tail").querySelectorAll("[data-form]"))
    mark(button, "aria-pressed", String(button.dataset.form === tail.form));
}

function drawTrail(parent, trail) {
  keep(
    parent,
    trail.length ? [trail] : [],
    () => "trail",
    () => make("ol", { class: "trail", "aria-label": "Attempts" }),
    (list) => {
      keep(
        list,
        trail.map((one, index) => ({ one, index })),
        ({ index }) => index,
        () => make("li", {}, make("b", {}), make("span", {}), make("em", {})),
        (node, { one }) => {
          const [who, when, what] = node.children;
          write(who, [[one.provider, one.account].filter(Boolean).join("/"), one.model].filter(Boolean).join(" "));
          write(when, `at ${showMs(one.at_ms ?? 0)}, ${one.ms === undefined ? "under way" : `took ${showMs(one.ms)}`}`);
          write(what, [one.status, one.error, one.outcome].filter(Boolean).join(" · ").replaceAll("_", " "));
          mark(what, "data-tone", one.error || one.status >= 400 ? "bad" : "");
        },
      );
    },
  );
}

/** From 1 ms to 10 s, by orders of magnitude: what matters is the one that is a thousand times longer. */
function drawGaps() {
  const [plot, wide, high] = [find("tail-plot"), 4, 36];
  mark(plot, "viewBox", `0 0 ${MOST.gaps * wide} ${high}`);
  const first = MOST.gaps - tail.gaps.length;
  const bar = (gap, index) => {
    const tall = Math.max(1, Math.min(1, Math.log10(Math.max(1, gap)) / 4) * high);
    return `M${(first + index) * wide} ${high}v${-tall.toFixed(1)}h${wide - 1}v${tall.toFixed(1)}z`;
  };
  const d = (test) => tail.gaps.map((gap, index) => (test(gap) ? bar(gap, index) : "")).join("");
  const shapes = [
    ["bars", d((gap) => gap < 1000)],
    ["bars warn", d((gap) => gap >= 1000)],
  ];
  while (plot.childElementCount < shapes.length) plot.append(makeSvg("path"));
  shapes.forEach(([tone, path], index) => {
    mark(plot.children[index], "class", tone);
    mark(plot.children[index], "d", path);
  });
  const gaps = sorted(tail.gaps);
  write(find("tail-gap"), gaps.length ? `median ${showMs(quantile(gaps, 0.5))} · longest ${showMs(gaps.at(-1))}` : "");
}

/** What is over can only be shown as it was seen. */
function setForm(form) {
  if (tail.over || form === tail.form) return;
  tail.form = form;
  readTail();
  drawTail();
}

function setFollow(follow) {
  tail.follow = follow;
  tail.dirty = follow;
  drawTail();
}

// Ending a stream: asked for once more, because it cannot be undone.

async function askToEnd(id) {
  const row = state.rows.get(id);
  if (!row || row.ended) return;
  const what = [row.client ?? row.remote, modelOf(row), `${row.phase} for ${showSeconds(ageOf(row))}`].join(", ");
  const then = "Its client is told in its own dialect that an operator ended it; the provider's connection is closed.";
  const text = `${what}. ${then}`;
  await askFirst("End this stream?", text, "End stream", async () => {
    await post(`/console/streams/${encodeURIComponent(id)}/kill`, {});
    tell("The stream was ended.");
  });
}

function startTail() {
  const body = find("tail-body");
  find("tail-close").addEventListener("click", closeTail);
  find("tail-kill").addEventListener("click", () => askToEnd(view.watched));
  find("follow").addEventListener("click", () => setFollow(!tail.follow));
  for (const button of find("tail").querySelectorAll("[data-form]"))
    button.addEventListener("click", () => setForm(button.dataset.form));
  body.addEventListener("wheel", () => requestAnimationFrame(noteScroll), { passive: true });
  body.addEventListener("keydown", () => requestAnimationFrame(noteScroll));
  body.addEventListener("touchmove", () => requestAnimationFrame(noteScroll), { passive: true });
}

/** Whoever scrolls back reads; whoever scrolls to the end wants to stay there. */
function noteScroll() {
  const body = find("tail-body");
  const follow = body.scrollHeight - body.scrollTop - body.clientHeight < 24;
  if (follow !== tail.follow) setFollow(follow);
}
