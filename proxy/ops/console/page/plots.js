"use strict";
// The gauges: six figures of the last two minutes, each with its plot, drawn as SVG. Pointing at one shows in all of
// them what it was at that moment.

const SPAN = 120; // seconds across
const WIDE = 240;
const HIGH = 40;
const POINTED = { at: null };

const lastRates = (seconds) => {
  const from = clockNow() - seconds;
  return state.rates.filter((rate) => rate.at >= from);
};
const sum = (rates, name) => rates.reduce((total, rate) => total + (rate[name] ?? 0), 0);
const sorted = (numbers) => numbers.slice().sort((a, b) => a - b);

/** value, note: of the rates up to the moment shown, the last being the moment's. draw: shapes from all rates. */
const GAUGES = [
  {
    name: "In flight",
    title: "Requests under way, and how many of them stream",
    value: ({ now }) => showCount(now?.streams),
    note: ({ now }) => (now ? `${showCount(now.streaming)} streaming` : ""),
    draw: (rates) => [
      area(
        rates,
        (rate) => rate.streams,
        topOf(rates, (rate) => rate.streams),
      ),
    ],
  },
  {
    name: "Events",
    unit: "/s",
    title: "Events passed on in a second, all streams together",
    value: ({ now }) => showShort(now && Math.round(now.events_per_s)),
    note: ({ now }) => (now ? `${showBytes(now.bytes_per_s)}/s` : ""),
    draw: (rates) => [
      area(
        rates,
        (rate) => rate.events_per_s,
        topOf(rates, (rate) => rate.events_per_s),
      ),
    ],
  },
  {
    name: "First token",
    title: "From the request to the first piece of its answer: the median of a minute; each dot is an answer",
    value: ({ minute }) => showMs(quantile(firsts(minute), 0.5)),
    note: ({ minute }) => (firsts(minute).length ? `p95 ${showMs(quantile(firsts(minute), 0.95))}` : ""),
    draw: (rates) => {
      const top = Math.max(1, ...rates.flatMap((rate) => rate.ttft_ms)) * 1.08;
      return [dots(rates.flatMap((rate) => rate.ttft_ms.map((ms) => [rate.at, ms / top])))];
    },
  },
  {
    name: "Gap",
    title: "Between two pieces of an answer, over all streams: median, and 95th percentile as the lighter line",
    value: ({ gap }) => showMs(gap?.p50),
    note: ({ gap }) => (gap ? `p95 ${showMs(gap.p95)}` : ""),
    draw: (rates) => {
      const known = rates.filter((rate) => rate.gap_ms);
      const top = topOf(known, (rate) => rate.gap_ms.p95);
      return [line(known, (rate) => rate.gap_ms.p95, top, "soft"), line(known, (rate) => rate.gap_ms.p50, top)];
    },
  },
  {
    name: "Ended",
    unit: "/min",
    title: "Requests that were over in the last minute, and how many of them had failed",
    value: ({ minute }) => showCount(sum(minute, "finished")),
    note: ({ minute }) =>
      sum(minute, "failed") ? { text: `${showCount(sum(minute, "failed"))} failed`, tone: "bad" } : "none failed",
    draw: (rates) => {
      const groups = gather(rates, 3);
      const top = topOf(groups, (group) => group.finished);
      return [bars(groups, (group) => group.finished, top, "soft"), bars(groups, (group) => group.failed, top, "bad")];
    },
  },
  {
    name: "Cost today",
    title: "By the price table, since midnight UTC",
    value: () => showCost(state.usage?.total.cost),
    note: () => (state.usage ? "" : "no ledger read"),
    more: () => (state.usage ? showTotal(state.usage.total) : ""),
  },
];

const showTotal = (total) =>
  `${showCount(total.requests)} requests\n${showShort(total.input)} tokens in, ${showShort(total.output)} out`;
const firsts = (rates) => sorted(rates.flatMap((rate) => rate.ttft_ms));
const topOf = (rates, read) => Math.max(1e-9, ...rates.map(read)) * 1.08;
const xOf = (at) => (1 - (clockNow() - at) / SPAN) * WIDE;
const yOf = (share) => HIGH - Math.min(1, share) * (HIGH - 2) - 1;
const point = (at, share) => `${xOf(at).toFixed(1)} ${yOf(share).toFixed(1)}`;

/** Groups of `seconds`, at fixed places so that bars do not dance. */
function gather(rates, seconds) {
  const groups = new Map();
  for (const rate of rates) {
    const at = Math.ceil(rate.at / seconds) * seconds;
    const group = groups.get(at) ?? { at, finished: 0, failed: 0 };
    group.finished += rate.finished;
    group.failed += rate.failed;
    groups.set(at, group);
  }
  return [...groups.values()];
}

function line(rates, read, top, tone = "") {
  return { tone: `line ${tone}`, d: trace(rates, read, top) };
}

function trace(rates, read, top) {
  let before = -Infinity; // a gap in time is a gap in the line
  return rates
    .map((rate) => {
      const step = rate.at - before > 3 ? "M" : "L";
      before = rate.at;
      return step + point(rate.at, read(rate) / top);
    })
    .join("");
}

function area(rates, read, top) {
  const d = trace(rates, read, top);
  if (!d) return { tone: "area", d };
  return {
    tone: "area",
    d,
    fill: `${d.replace(/(?!^)M/g, "L")}L${point(rates.at(-1).at, 0)}L${point(rates[0].at, 0)}Z`,
  };
}

function bars(groups, read, top, tone) {
  const wide = (3 / SPAN) * WIDE - 1.2;
  return {
    tone: `bars ${tone}`,
    d: groups
      .filter((group) => read(group) > 0)
      .map((group) => {
        const [x, y] = [xOf(group.at) - wide, yOf(read(group) / top)];
        return `M${x.toFixed(1)} ${HIGH}V${y.toFixed(1)}h${wide.toFixed(1)}V${HIGH}Z`;
      })
      .join(""),
  };
}

function dots(points) {
  return { tone: "dots", d: points.map(([at, share]) => `M${point(at, share)}h0`).join("") };
}

function drawGauges() {
  const rates = lastRates(SPAN);
  const shown = POINTED.at === null ? rates : rates.filter((rate) => rate.at <= POINTED.at);
  const moment = shown.at(-1);
  const minute = shown.filter((rate) => moment && rate.at > moment.at - 60);
  const gap = shown.slice(-6).findLast((rate) => rate.gap_ms)?.gap_ms;
  keep(
    find("gauges"),
    GAUGES,
    (gauge) => gauge.name,
    buildGauge,
    (node, gauge) => {
      const note = gauge.note({ now: moment, minute, gap });
      write(node.value, gauge.value({ now: moment, minute, gap }));
      write(node.note, note.text ?? note);
      mark(node.note, "data-tone", note.tone ?? "");
      if (gauge.more) write(node.more, gauge.more());
      else drawShapes(node.plot, gauge.draw(rates));
      mark(node.hair, "d", POINTED.at === null ? "" : `M${xOf(POINTED.at).toFixed(1)} 0V${HIGH}`);
    },
  );
}

function buildGauge(gauge) {
  const value = make("b", {});
  const note = make("small", {});
  const plot = makeSvg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const hair = makeSvg("path", { class: "hair" });
  plot.append(hair);
  const unit = gauge.unit ? make("i", {}, gauge.unit) : null;
  const more = gauge.more ? make("p", { class: "more" }) : null;
  const node = make(
    "div",
    { class: "gauge", title: gauge.title },
    make("h3", {}, gauge.name),
    make("p", {}, value, unit, note),
    more ?? plot,
  );
  return Object.assign(node, { value, note, plot, hair, more });
}

function drawShapes(plot, shapes) {
  const paths = shapes.flatMap((shape) => (shape.fill ? [{ tone: "fill", d: shape.fill }, shape] : [shape]));
  while (plot.children.length - 1 > paths.length) plot.firstElementChild.remove();
  while (plot.children.length - 1 < paths.length) plot.prepend(makeSvg("path"));
  paths.forEach((path, index) => {
    mark(plot.children[index], "class", path.tone);
    mark(plot.children[index], "d", path.d);
  });
}

function pointAtGauges(event) {
  const plot = event.target.closest(".gauge")?.plot.getBoundingClientRect();
  const share = plot ? (event.clientX - plot.left) / plot.width : null;
  POINTED.at = share === null || share < 0 || share > 1 ? null : clockNow() - (1 - share) * SPAN;
  drawGauges();
}

function startGauges() {
  find("gauges").addEventListener("pointermove", pointAtGauges);
  find("gauges").addEventListener("pointerleave", () => {
    POINTED.at = null;
    drawGauges();
  });
}
