"use strict";
// The table of streams. A row is made once and its cells are written where they differ. One row is the cursor (it has
// the focus when the table has it), one may be watched in the tail.

const view = {
  sort: recall("sort", "age"),
  down: recall("down", "1") === "1",
  filter: "",
  chip: "all",
  cursor: "",
  order: [],
  watched: "",
  paused: false,
  pointing: false,
};

function drawStreams() {
  const live = [...state.rows.values()];
  drawHeads();
  drawChips(live.filter((row) => !row.ended));
  view.order = orderRows(live.filter(isShown));
  const top = Math.max(20, ...live.map((row) => Math.max(0, ...row.trace)));
  const focused = document.activeElement?.closest?.("#rows tr");
  const at = focused ? focused.sectionRowIndex : -1;
  const rows = view.order.map((id) => state.rows.get(id));
  if (!state.rows.has(view.cursor) || !view.order.includes(view.cursor))
    view.cursor = view.order[Math.max(0, Math.min(at, view.order.length - 1))] ?? "";
  keep(
    find("rows"),
    rows,
    (row) => row.id,
    buildRow,
    (node, row) => updateRow(node, row, top),
  );
  if (focused && !find("rows").contains(document.activeElement)) rowOf(view.cursor)?.focus({ preventScroll: true });
  drawEmpty(live.length);
}

function drawEmpty(count) {
  const empty = find("streams-empty");
  empty.hidden = view.order.length > 0 && !state.hidden;
  if (state.hidden && view.order.length) write(empty, `and ${showCount(state.hidden)} more that are not shown`);
  else write(empty, count ? "No stream matches." : "Nothing is streaming.");
}

function isShown(row) {
  if (!CHIPS.find((chip) => chip.key === view.chip).test(row)) return false;
  if (!view.filter) return true;
  const words = [
    row.client,
    row.remote,
    row.id,
    row.model,
    row.model_asked,
    row.route,
    accountOf(row),
    row.phase,
    row.dialect,
  ];
  const text = words.join(" ").toLowerCase();
  return view.filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** While somebody points at a row it stays under the pointer: what is new comes last until they point elsewhere. */
function orderRows(rows) {
  const column = COLUMNS.find((one) => one.key === view.sort && one.by) ?? COLUMNS.find((one) => one.key === "age");
  const way = view.down ? -1 : 1;
  const keys = new Map(rows.map((row) => [row.id, column.by(row)]));
  if (view.pointing && !column.still) {
    const old = new Set(view.order);
    return [...view.order.filter((id) => keys.has(id)), ...rows.map((row) => row.id).filter((id) => !old.has(id))];
  }
  const compare = (a, b) => {
    const [x, y] = [keys.get(a.id), keys.get(b.id)];
    const order = typeof x === "number" ? x - y : x.localeCompare(y);
    return (Number.isNaN(order) ? 0 : order) * way || a.started - b.started || (a.id < b.id ? -1 : 1);
  };
  return rows.sort(compare).map((row) => row.id);
}

function drawHeads() {
  keep(
    find("heads"),
    COLUMNS,
    (column) => column.key,
    buildHead,
    (node, column) => {
      const sorts = column.key === view.sort;
      mark(node, "aria-sort", sorts ? (view.down ? "descending" : "ascending") : null);
    },
  );
}

function buildHead(column) {
  const node = make("th", {
    scope: "col",
    class: `c-${column.key}`,
    "data-number": column.number,
    "data-drop": column.drop,
    title: column.title,
  });
  if (!column.by) {
    node.append(column.name || make("span", { class: "unseen" }, "End"));
    return node;
  }
  const button = make("button", { type: "button", "data-sort": column.key }, column.name);
  button.addEventListener("click", () => sortBy(column));
  node.append(button);
  return node;
}

function sortBy(column) {
  view.down = view.sort === column.key ? !view.down : Boolean(column.number);
  view.sort = column.key;
  view.pointing = false;
  remember("sort", view.sort);
  remember("down", view.down ? "1" : "0");
  drawStreams();
}

function drawChips(live) {
  keep(
    find("chips"),
    CHIPS,
    (chip) => chip.key,
    buildChip,
    (node, chip) => {
      const count = live.filter(chip.test).length + (chip.key === "all" ? state.hidden : 0);
      write(node.count, showCount(count));
      mark(node, "aria-pressed", String(view.chip === chip.key));
      mark(node, "data-tone", count ? (chip.tone ?? "") : "");
    },
  );
}

function buildChip(chip) {
  const count = make("b", {});
  const node = make("button", { type: "button", title: chip.title, "data-chip": chip.key }, count, ` ${chip.name}`);
  node.addEventListener("click", () => {
    view.chip = view.chip === chip.key ? "all" : chip.key;
    drawStreams();
  });
  return Object.assign(node, { count });
}

function buildRow(row) {
  const node = make("tr", { "data-id": row.id, tabindex: "-1" });
  for (const column of COLUMNS) node.append(buildCell(column));
  return node;
}

function buildCell(column) {
  const cell = make("td", { class: `c-${column.key}`, "data-number": column.number, "data-drop": column.drop });
  if (column.plot) {
    const plot = makeSvg("svg", { viewBox: "0 0 60 16", preserveAspectRatio: "none", "aria-hidden": "true" });
    plot.append(makeSvg("path"));
    cell.append(plot);
  } else if (column.button) {
    cell.append(make("button", { type: "button", tabindex: "-1", class: "end", title: "End this stream (x)" }, "End"));
  } else if (column.tries) {
    cell.append(make("span", {}), make("small", {}));
  }
  return cell;
}

function updateRow(node, row, top) {
  mark(node, "tabindex", row.id === view.cursor ? "0" : "-1");
  mark(node, "aria-selected", String(row.id === view.watched));
  mark(node, "data-phase", row.phase);
  mark(node, "data-tone", row.ended && didFail(row.ended) ? "bad" : "");
  COLUMNS.forEach((column, index) => {
    const cell = node.children[index];
    if (column.plot) mark(cell.firstChild.firstChild, "d", traceOf(row, top));
    else if (column.button) cell.firstChild.disabled = Boolean(row.ended);
    else {
      write(column.tries ? cell.firstChild : cell, column.text(row));
      if (column.tries) write(cell.lastChild, column.tries(row));
      if (column.hint) mark(cell, "title", column.hint(row));
      if (column.tone) mark(cell, "data-tone", column.tone(row));
    }
  });
}

/** The root of it, so that slow ones are seen beside fast ones. */
function traceOf(row, top) {
  const first = KEPT.traces - row.trace.length;
  return row.trace
    .map((rate, index) => `${index ? "L" : "M"}${first + index} ${(15 - Math.sqrt(rate / top) * 14).toFixed(1)}`)
    .join("");
}

const rowOf = (id) => find("rows").known?.get(id);

function moveCursor(step) {
  const at = view.order.indexOf(view.cursor);
  const to = Math.max(0, Math.min(view.order.length - 1, at + step));
  view.cursor = view.order[to] ?? "";
  drawStreams();
  rowOf(view.cursor)?.focus();
  rowOf(view.cursor)?.scrollIntoView({ block: "nearest" });
}

function startStreams() {
  const rows = find("rows");
  rows.addEventListener("click", (event) => {
    const id = event.target.closest("tr")?.dataset.id;
    if (!id) return;
    view.cursor = id;
    if (event.target.closest("button")) askToEnd(id);
    else watch(id);
  });
  rows.addEventListener("pointerover", () => {
    view.pointing = true;
  });
  rows.addEventListener("pointerleave", () => {
    view.pointing = false;
  });
  find("filter").addEventListener("input", (event) => {
    view.filter = event.target.value.trim();
    drawStreams();
  });
}
