"use strict";
// What everything else is made of: elements whose text is only ever text, numbers as people read them, and the clock.
// Nothing on this page is built from markup: names, errors and what models say come from outside.

const SVG = "http://www.w3.org/2000/svg";
const find = (id) => document.getElementById(id);

/** An element: attributes by name (true: present, false and null: left out), children as nodes or text. */
function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function makeSvg(name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** Touch the document only where it differs: fifty rows are looked at twice a second. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function mark(node, name, value) {
  if (value === null || value === "") {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** A list of elements kept in step with a list of values: one element per key, made once, and moved as little as can
 * be, because an element that moves loses its focus and a click that is under way. */
function keep(parent, values, keyOf, build, update) {
  const known = (parent.known ??= new Map());
  const wanted = new Set(values.map(keyOf));
  for (const [key, node] of known) {
    if (!wanted.has(key)) {
      node.remove();
      known.delete(key);
    }
  }
  let place = parent.firstElementChild;
  for (const value of values) {
    const key = keyOf(value);
    const node = known.get(key) ?? build(value);
    known.set(key, node);
    if (place && place !== node && place.nextElementSibling === node)
      parent.append(place); // it went down, not all others up
    else if (place !== node) parent.insertBefore(node, place);
    place = node.nextElementSibling;
    update(node, value);
  }
}

// Numbers. What is not known is a dash, and takes as much room.

const NONE = "–";
const GROUPS = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function showCount(number) {
  if (number === null || number === undefined) return NONE;
  return GROUPS.format(number);
}

function showShort(number) {
  if (number === null || number === undefined) return NONE;
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ]) {
    if (number >= size) {
      const scaled = number / (letter === "k" ? 1e3 : size);
      return scaled.toFixed(scaled < 99.95 ? 1 : 0) + letter;
    }
  }
  return GROUPS.format(number);
}

function showBytes(number) {
  if (number === null || number === undefined) return NONE;
  if (number < 1000) return `${Math.round(number)} B`;
  const [size, unit] = [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ].find(([least]) => number >= least * 0.9995);
  return `${(number / size).toFixed(number / size < 99.95 ? 1 : 0)} ${unit}`;
}

function showSeconds(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const whole = Math.max(0, seconds);
  if (whole < 59.95) return `${whole.toFixed(1)} s`;
  const [minutes, rest] = [Math.floor(whole / 60), Math.floor(whole % 60)];
  if (minutes < 60) return `${minutes}m ${String(rest).padStart(2, "0")}s`;
  if (minutes < 2880) return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

function showMs(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms === 0) return "0 ms";
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 99950 ? 2 : 0)} s`;
}

function showRate(number) {
  if (number === null || number === undefined) return NONE;
  return number < 99.95 ? number.toFixed(1) : showShort(number);
}

function showCost(cost) {
  if (cost === null || cost === undefined) return NONE;
  return cost.toFixed(cost < 0.995 ? 4 : 2);
}

/** The time of day here, of seconds since the epoch or of a text that ends in Z. */
function showTime(moment) {
  const date = new Date(typeof moment === "string" ? moment : moment * 1000);
  return Number.isNaN(date.getTime()) ? NONE : date.toLocaleTimeString("en-GB");
}

function quantile(sorted, share) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] : null;
}

// The server's clocks, carried on between two of its frames. The frame that came fastest tells best, and is forgotten
// slowly: over a day two clocks drift apart by seconds.

const FORGET = 0.0005; // seconds a frame, of which two come in a second: ten times what a bad clock drifts

const time = { clock: -Infinity, wall: -Infinity };

function setClocks(frame, anew) {
  const here = performance.now() / 1000;
  time.clock = anew ? frame.clock - here : Math.max(time.clock - FORGET, frame.clock - here);
  time.wall = anew ? frame.now - here : Math.max(time.wall - FORGET, frame.now - here);
}

const clockNow = () => performance.now() / 1000 + time.clock;
const wallNow = () => performance.now() / 1000 + time.wall;

// What this browser remembers of its user: nothing secret, and nothing that matters when it cannot.

function recall(name, otherwise) {
  try {
    return localStorage.getItem(`penstock.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`penstock.${name}`, value);
  } catch {
    /* storage is switched off */
  }
}
