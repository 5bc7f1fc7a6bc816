"use strict";
// The accounts, how many requests each has in flight, what is left of it, and what is held against it;
// with the way to lift that.

const WORDS = { open: "open", cooling: "cooling", "half-open": "trying again", attention: "needs you" };
const TONES = { open: "good", cooling: "warn", "half-open": "warn", attention: "bad" };

function drawAccounts() {
  const entries = state.providers.flatMap(listEntries);
  const accounts = entries.filter((entry) => !entry.provider);
  const shut = accounts.filter((entry) => entry.state !== "open" || entry.shared).length;
  write(
    find("accounts-sum"),
    entries.length ? (shut ? `${shut} of ${accounts.length} not open` : `${accounts.length} open`) : "",
  );
  mark(find("accounts-sum"), "data-tone", shut ? "warn" : "");
  keep(find("accounts"), entries, (entry) => entry.key, buildEntry, updateEntry);
}

/** A provider has a line of its own only when something is held against all of it. */
function listEntries(provider) {
  const shared = provider.cooldowns ?? [];
  const name = provider.provider;
  const own = shared.length
    ? [{ key: `${name}/`, name, provider: true, state: provider.state, cooldowns: shared }]
    : [];
  const each = provider.accounts.map((account) => ({
    ...account,
    key: `${name}/${account.account ?? ""}!`,
    name: account.account ? `${name}/${account.account}` : name,
    cooldowns: account.cooldowns ?? [],
    shared: provider.state !== "open",
  }));
  return [...own, ...each];
}

function buildEntry(entry) {
  const clear = make("button", { type: "button", title: "Lift its cool-downs now" }, "Clear");
  const cells = {
    name: make("b", {}),
    state: make("span", { class: "state" }),
    flight: make("span", { class: "flight" }),
    left: make("span", { class: "left" }),
    clear,
  };
  const list = make("ul", {});
  const node = make(
    "div",
    { class: "account" },
    make("div", { class: "head" }, cells.name, cells.left, cells.flight, cells.state, clear),
    list,
  );
  clear.addEventListener("click", () => clearAccount(entry.name));
  return Object.assign(node, cells, { list });
}

function showFlight({ in_flight: here, elsewhere, max_streams: most }) {
  return `${showCount(here)}${elsewhere ? `+${showCount(elsewhere)}` : ""}${most ? `/${most}` : ""}`;
}

function hintFlight({ elsewhere }) {
  return elsewhere ? "requests in flight, here and in other instances" : "requests in flight";
}

function updateEntry(node, entry) {
  write(node.name, entry.provider ? `${entry.name} (all)` : entry.name);
  write(node.state, WORDS[entry.state] ?? entry.state);
  mark(node.state, "data-tone", TONES[entry.state] ?? "");
  write(
    node.flight,
    entry.provider ? "" : showFlight(entry),
  );
  mark(node.flight, "title", entry.provider ? "" : hintFlight(entry));
  write(node.left, entry.provider ? "" : showLeft(entry));
  mark(node.left, "title", hintLeft(entry));
  mark(node.clear, "data-idle", entry.cooldowns.length ? "" : "yes");
  node.clear.disabled = !entry.cooldowns.length;
  keep(
    node.list,
    entry.cooldowns,
    (cooldown) => [cooldown.level, cooldown.name, cooldown.model, cooldown.why].join("\n"),
    buildCooldown,
    updateCooldown,
  );
}

/** The scarcest of what is left. */
function showLeft(entry) {
  const shares = (entry.limits ?? []).filter((limit) => limit.limit).map((limit) => limit.remaining / limit.limit);
  if (shares.length) return `${Math.round(Math.min(...shares) * 100)}% left`;
  const own = Object.entries(entry.left ?? {}).sort(([, a], [, b]) => a - b)[0];
  return own ? `${showShort(own[1])} ${own[0]} left` : "";
}

function hintLeft(entry) {
  const own = Object.entries(entry.left ?? {}).map(
    ([name, left]) => `${name}: ${showCount(left)} left by the configured limit`,
  );
  const said = (entry.limits ?? []).map(
    (limit) => `${limit.bucket}: ${showCount(limit.remaining)} of ${showCount(limit.limit)} left, says the provider`,
  );
  return [...own, ...said].join("\n");
}

const buildCooldown = () => make("li", {}, make("span", {}), make("time", {}), make("p", {}));

function updateCooldown(node, cooldown) {
  const [what, left, detail] = node.children;
  const whom = [cooldown.model, cooldown.level === "egress" ? cooldown.name : ""].filter(Boolean).join(" ");
  write(
    what,
    [whom, cooldown.why.replaceAll("_", " "), cooldown.strikes > 1 ? `${cooldown.strikes} times` : ""]
      .filter(Boolean)
      .join(" · "),
  );
  const seconds = new Date(cooldown.until).getTime() / 1000 - wallNow();
  write(
    left,
    cooldown.lifted_by === "operator"
      ? "until you clear it"
      : seconds > 0
        ? showSeconds(seconds)
        : cooldown.probing
          ? "being tried"
          : "next request tries",
  );
  mark(left, "title", `until ${showTime(cooldown.until)}`);
  write(detail, cooldown.detail ?? "");
}

async function clearAccount(name) {
  try {
    const { lifted } = await post("/accounts/clear", { name });
    tell(`${name}: ${lifted} cool-down${lifted === 1 ? "" : "s"} lifted.`);
  } catch (error) {
    tell(`${name}: ${error.message}`, "bad");
  }
}
