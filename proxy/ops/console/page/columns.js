"use strict";
// The columns of the table of streams, and the chips above it: what each shows of a row, and what it sorts or picks by.

/** by: what is sorted by. text: what is shown. still: sorting by it is calm, the order changes by itself seldom. drop:
 * the width of the table below which it is left out (see the style). */
const COLUMNS = [
  {
    key: "client",
    name: "Client",
    still: true,
    by: (row) => row.client ?? row.remote,
    text: (row) => row.client ?? row.remote,
    hint: (row) => `${row.client ?? "no client name"} from ${row.remote}`,
  },
  {
    key: "model",
    name: "Model",
    still: true,
    by: modelOf,
    text: modelOf,
    hint: (row) =>
      [row.route, row.model && row.model !== row.model_asked ? `answered by ${row.model}` : ""]
        .filter(Boolean)
        .join("\n"),
  },
  {
    key: "account",
    name: "Account",
    still: true,
    drop: 3,
    by: accountOf,
    text: (row) => accountOf(row) || NONE,
    tries: (row) => (row.trail.length > 1 ? `×${row.trail.length}` : ""),
    hint: (row) => row.trail.map(showTry).join("\n"),
  },
  {
    key: "phase",
    name: "Phase",
    still: true,
    by: (row) => String(PHASES.indexOf(row.phase)),
    text: (row) => (row.ended ?? row.phase).replaceAll("_", " "),
    hint: (row) => (row.ended ?? row.phase).replaceAll("_", " "),
  },
  { key: "age", name: "Age", number: true, still: true, drop: 2, by: ageOf, text: (row) => showSeconds(ageOf(row)) },
  {
    key: "ttft",
    name: "First",
    title: "Time to the first token",
    number: true,
    still: true,
    drop: 4,
    by: (row) => row.ttft_ms ?? Infinity,
    text: (row) => showMs(row.ttft_ms),
  },
  {
    key: "rate",
    name: "tok/s",
    title: "Pieces of the answer per second",
    number: true,
    by: (row) => row.per_second ?? 0,
    text: (row) => (row.phase === "streaming" ? showRate(row.per_second) : NONE),
  },
  {
    key: "trace",
    name: "Last minute",
    title: "Pieces per second in the last minute, one scale for all rows",
    plot: true,
    drop: 5,
  },
  {
    key: "bytes",
    name: "Bytes",
    number: true,
    drop: 3,
    by: (row) => row.bytes_down,
    text: (row) => showBytes(row.bytes_down),
  },
  {
    key: "still",
    name: "Still",
    title: "Since its last progress",
    number: true,
    by: (row) => stillOf(row) ?? -1,
    text: (row) => showSeconds(stillOf(row)),
    tone: (row) => toneOfStill(row),
  },
  { key: "end", name: "", button: true },
];

const CHIPS = [
  { key: "all", name: "all", test: () => true },
  { key: "waiting", name: "waiting", title: "Not streaming yet", test: isWaiting },
  { key: "still", name: "still", title: `No progress for ${STILL} seconds`, test: isStill, tone: "warn" },
];

function toneOfStill(row) {
  const still = stillOf(row) ?? 0;
  if (still >= STUCK) return "bad";
  return still >= STILL ? "warn" : "";
}

function showTry(one) {
  const who = [one.provider, one.account].filter(Boolean).join("/");
  return [who, one.model, one.status, one.error, one.outcome].filter(Boolean).join(" · ");
}
