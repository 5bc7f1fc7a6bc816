"use strict";
// What is known, by the server's frames: a snapshot replaces it all, changes are put in. Views read it and keep none of
// their own; what the user has chosen (sorting, filter, what is watched) is not in here.

const KEPT = { rates: 240, failures: 50, traces: 60 };
const LINGER = 2; // seconds that a finished stream stays to be seen

const state = {
  boot: "",
  version: "",
  content: false,
  draining: false,
  hidden: 0,
  rows: new Map(),
  providers: [],
  routes: [],
  mounts: [],
  failures: [],
  usage: null,
  rates: [],
};

const takers = { snapshot: takeSnapshot, changes: takeChanges };

function takeSnapshot(frame) {
  const before = state.rows;
  const restarted = state.boot !== "" && state.boot !== frame.boot;
  setClocks(frame, true);
  for (const name of [
    "boot",
    "version",
    "place",
    "content",
    "draining",
    "hidden",
    "providers",
    "routes",
    "mounts",
    "failures",
    "usage",
    "rates",
  ]) {
    state[name] = frame[name];
  }
  state.rows = new Map();
  for (const row of frame.streams) addRow(row, before.get(row.id)?.trace);
  return restarted;
}

function takeChanges(frame) {
  setClocks(frame, false);
  for (const row of frame.streams ?? []) {
    const known = state.rows.get(row.id);
    if (known) Object.assign(known, row);
    else addRow(row);
  }
  for (const ended of frame.gone ?? []) endRow(ended);
  for (const name of ["hidden", "draining", "routes", "mounts", "usage"]) {
    if (name in frame) state[name] = frame[name];
  }
  if (frame.providers) takeProviders(frame.providers, frame.providers_all);
  if (frame.failures) state.failures = [...frame.failures, ...state.failures].slice(0, KEPT.failures);
  if (frame.rates) state.rates = [...state.rates, ...frame.rates].slice(-KEPT.rates);
  return false;
}

function takeProviders(providers, all) {
  if (all) {
    state.providers = providers;
    return;
  }
  const fresh = new Map(providers.map((provider) => [provider.provider, provider]));
  state.providers = state.providers.map((old) => fresh.get(old.provider) ?? old);
  const known = new Set(state.providers.map((provider) => provider.provider));
  state.providers.push(...providers.filter((provider) => !known.has(provider.provider)));
}

/** trace: pieces a second, one number for each of the last seconds. ended, over: how and when it was. */
function addRow(row, trace = []) {
  const whole = {
    client: null,
    provider: null,
    account: null,
    model: "",
    model_asked: "",
    trail: [],
    ttft_ms: null,
    moved: null,
  };
  state.rows.set(row.id, { ...whole, ...row, trace, ended: null, over: 0 });
}

function endRow(ended) {
  const row = state.rows.get(ended.id);
  if (!row || row.ended) return;
  for (const [name, value] of Object.entries(ended)) {
    if (value !== null) row[name] = value;
  }
  row.ended = ended.end_reason ?? "gone";
  row.phase = "ended";
  row.over = clockNow();
  row.per_second = 0;
}

/** Once a second: remember how fast each goes, and let go of what has been over for long enough. */
function age() {
  const now = clockNow();
  let lingering = [...state.rows.values()].reduce((sum, row) => sum + (row.ended ? 1 : 0), 0);
  const most = Math.max(5, (state.rows.size - lingering) / 4); // short streams must not hide those that run
  for (const row of state.rows.values()) {
    if (row.ended && (now - row.over > LINGER || lingering > most)) {
      state.rows.delete(row.id);
      lingering--;
    } else if (!row.ended) {
      row.trace.push(row.per_second ?? 0);
      if (row.trace.length > KEPT.traces) row.trace.shift();
    }
  }
}

// What a row means, for table, filter and tail alike.

const PHASES = ["streaming", "held", "waiting", "queued", "uploading", "accepted", "ended"];
const STILL = 5; // seconds without progress that are worth a word
const STUCK = 15; // and those that are worth a look

const ageOf = (row) => (row.ended ? row.over : clockNow()) - row.started;
const stillOf = (row) => (row.ended ? null : Math.max(0, clockNow() - (row.moved ?? row.started)));
const accountOf = (row) => [row.provider, row.account].filter(Boolean).join("/");
const modelOf = (row) => row.model_asked || row.model || row.route || "";
const isWaiting = (row) => !row.ended && row.phase !== "streaming";
const isStill = (row) => !row.ended && stillOf(row) >= STILL;
const didFail = (reason) => !["done", "late_cut", "client_gone", "gone"].includes(reason);
