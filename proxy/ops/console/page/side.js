"use strict";
// What stands beside the streams, below the accounts: the last failures, what today has cost, and where names lead.

const usageBy = { list: "by_model" };

function drawSide() {
  drawAccounts();
  drawFailures();
  drawUsage();
  drawRoutes();
}

// Failures.

function drawFailures() {
  const failures = state.failures;
  write(find("failures-sum"), failures.length ? `the last ${failures.length}` : "none");
  keep(
    find("failures"),
    failures,
    (failure) => failure.request_id,
    buildFailure,
    () => {},
  );
}

function buildFailure(failure) {
  const reason = failure.end_reason.replaceAll("_", " ");
  const model = failure.model_asked || failure.model || failure.route || "";
  const error = [failure.status || null, failure.error === failure.end_reason ? null : failure.error]
    .filter(Boolean)
    .join(" ");
  const head = make(
    "summary",
    {},
    make("time", { datetime: failure.ts }, showTime(failure.ts)),
    make("b", {}, failure.client ?? failure.remote ?? NONE),
    make("span", {}, model),
    make("em", { "data-tone": "bad" }, reason),
  );
  const facts = [
    ["Error", [error, failure.detail].filter(Boolean).join(": ") || NONE],
    ["Account", accountOf(failure) || NONE],
    ["After", showMs(failure.duration_ms)],
    ["Sent", `${showBytes(failure.bytes_down ?? 0)}, ${showCount(failure.events ?? 0)} events`],
    ["Request", failure.request_id],
  ];
  const list = make(
    "dl",
    {},
    ...facts.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))),
  );
  const trail = make("div", {});
  drawTrail(trail, failure.trail ?? []);
  return make("details", { class: "failure" }, head, list, trail);
}

// Usage.

const SUMS = [
  ["requests", "Requests", (sum) => showShort(sum.requests)],
  ["failed", "Failed", (sum) => (sum.failed ? showShort(sum.failed) : NONE)],
  ["input", "In", (sum) => showShort(sum.input)],
  ["cached", "Cached", (sum) => (sum.cached ? showShort(sum.cached) : NONE)],
  ["output", "Out", (sum) => showShort(sum.output)],
  ["cost", "Cost", (sum) => showCost(sum.cost)],
];

function drawUsage() {
  const usage = state.usage;
  const said = usage
    ? usage.total.requests
      ? ""
      : "Nothing yet today."
    : "The ledger is off, or has not been read yet.";
  keep(
    find("usage"),
    [said],
    (text) => text,
    (text) => (text ? make("p", { class: "empty" }, text) : buildUsage()),
    (node) => {
      if (said) return;
      const sums = [...usage[usageBy.list], { ...usage.total, name: "all" }];
      keep(
        node.body,
        sums,
        (sum) => sum.name || NONE,
        buildSum,
        (row, sum) => {
          write(row.firstChild, sum.name || NONE);
          mark(row.firstChild, "title", sum.name);
          SUMS.forEach(([, , text], index) => write(row.children[index + 1], text(sum)));
        },
      );
    },
  );
}

function buildUsage() {
  const heads = make(
    "tr",
    {},
    make("th", { scope: "col" }, ""),
    ...SUMS.map(([key, name]) => make("th", { scope: "col", "data-number": true, class: `u-${key}` }, name)),
  );
  const body = make("tbody", {});
  return Object.assign(make("table", { class: "usage" }, make("thead", {}, heads), body), { body });
}

function buildSum() {
  return make(
    "tr",
    {},
    make("th", { scope: "row" }),
    ...SUMS.map(([key]) => make("td", { "data-number": true, class: `u-${key}` })),
  );
}

// Routes.

function drawRoutes() {
  const own = state.routes.filter((route) => route.kind !== "provider"); // "openai/*" leads to openai
  const routes = own.map((route) => ({
    key: `r ${route.name}`,
    name: route.name,
    to: showTargets(route),
    hint: [route.order, route.rescue && route.rescue !== "off" ? `rescue ${route.rescue}` : ""]
      .filter(Boolean)
      .join(", "),
  }));
  const mounts = state.mounts.map((mount) => ({
    key: `m ${mount.prefix}`,
    name: mount.prefix,
    to: `${mount.provider} (${mount.dialect})`,
    hint: "mount: byte for byte",
  }));
  write(find("routes-sum"), `${routes.length} models, ${mounts.length} mounts`);
  keep(
    find("routes"),
    [...routes, ...mounts],
    (entry) => entry.key,
    () => make("div", { class: "route" }, make("b", {}), make("span", {})),
    (node, entry) => {
      write(node.firstChild, entry.name);
      write(node.lastChild, entry.to);
      mark(node, "title", entry.hint);
    },
  );
}

/** Tiers in their order, what shares one with a comma. */
function showTargets(route) {
  const tiers = new Map();
  for (const target of route.targets ?? []) {
    const name = [target.provider, target.model].filter(Boolean).join("/");
    tiers.set(target.tier ?? 0, [...(tiers.get(target.tier ?? 0) ?? []), name]);
  }
  return [...tiers]
    .sort(([a], [b]) => a - b)
    .map(([, names]) => names.join(", "))
    .join("  then  ");
}

function startSide() {
  for (const button of document.querySelectorAll("[data-by]")) {
    button.addEventListener("click", () => {
      usageBy.list = button.dataset.by;
      for (const one of document.querySelectorAll("[data-by]")) mark(one, "aria-pressed", String(one === button));
      drawUsage();
    });
  }
}
