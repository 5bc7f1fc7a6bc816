"use strict";
// Puts it together: frames in, views out at most once per frame of the screen, keys, the door, the theme.

let drawing = false;

function draw() {
  if (drawing || view.paused || document.hidden) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (view.paused) return;
    drawGauges();
    drawStreams();
    drawTail();
    drawSide();
    drawBar();
  });
}

function drawBar() {
  const count = [...state.rows.values()].filter((row) => !row.ended).length + state.hidden;
  write(find("version"), state.place ? `${state.version} at ${state.place}` : state.version);
  document.title = `${count} · Penstock`;
  mark(find("app"), "data-draining", state.draining ? "yes" : "");
  if (state.draining) tell("Draining: it ends when its streams have.", "warn");
}

// The line to the server.

const LINKS = { connecting: "Connecting", live: "Live", lost: "Reconnecting", refused: "Signed out" };

const overview = new Line(
  (event, frame) => {
    const restarted = takers[event]?.(frame);
    if (restarted) tell(`Restarted; here again since ${showTime(frame.now)}.`);
    draw();
  },
  (link, error) => {
    const node = find("link");
    if (node.dataset.state === link && !error) return;
    node.dataset.state = link;
    write(node, LINKS[link]);
    mark(node, "title", error?.message ?? "");
    if (link === "lost" && error) tell(error.message, "warn");
    if (link === "refused") openDoor(error);
  },
);

function tell(text, tone = "") {
  write(find("notice"), text);
  mark(find("notice"), "data-tone", tone);
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => write(find("notice"), ""), 8000);
}

// The door.

function openDoor(error) {
  closeDialogs();
  find("app").hidden = true;
  find("door").hidden = false;
  const missing = error.code === "token_missing" || error.code === "foreign_host";
  write(find("door-text"), missing ? error.message : "This console asks for its token.");
  for (const name of ["label", "input", "button"]) find("login").querySelector(name).hidden = missing;
  find("token").focus();
}

async function enter() {
  find("door").hidden = true;
  find("app").hidden = false;
  const session = await getJson("/console/session").catch(() => null);
  find("leave").hidden = !session?.token_wanted;
  overview.run();
}

async function signIn(event) {
  event.preventDefault();
  const error = find("door-error");
  write(error, "");
  try {
    await post("/console/login", { token: find("token").value });
    find("token").value = "";
    enter();
  } catch (fault) {
    write(error, fault instanceof Answered ? fault.message : "The server cannot be reached.");
    find("token").select();
  }
}

async function signOut() {
  await post("/console/logout", {}).catch(() => {});
  location.reload();
}

// Dialogs.

/** Ask; on yes do it, and stay open when that fails. */
function askFirst(title, text, yes, act) {
  write(find("ask-title"), title);
  write(find("ask-text"), text);
  write(find("ask-yes"), yes);
  write(find("ask-error"), "");
  find("ask-yes").onclick = async () => {
    find("ask-yes").disabled = true;
    try {
      await act();
      find("ask").close();
    } catch (error) {
      write(find("ask-error"), error instanceof Answered ? error.message : "The server cannot be reached.");
    }
    find("ask-yes").disabled = false;
  };
  find("ask").showModal();
  find("ask-no").focus();
}

function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

// Theme and keys.

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  mark(document.documentElement, "data-theme", theme === "auto" ? null : theme);
  write(find("theme"), `Theme: ${theme}`);
  remember("theme", theme);
}

const nextTheme = () => setTheme(THEMES[(THEMES.indexOf(recall("theme", "auto")) + 1) % THEMES.length]);

function setPaused(paused) {
  view.paused = paused;
  mark(find("pause"), "aria-pressed", String(paused));
  write(find("pause"), paused ? "Resume" : "Pause");
  draw();
}

const KEYS = {
  j: () => moveCursor(1),
  ArrowDown: () => moveCursor(1),
  k: () => moveCursor(-1),
  ArrowUp: () => moveCursor(-1),
  PageDown: () => moveCursor(15),
  PageUp: () => moveCursor(-15),
  Home: () => moveCursor(-Infinity),
  End: () => moveCursor(Infinity),
  Enter: () => view.cursor && watch(view.cursor),
  x: () => askToEnd(view.watched || view.cursor),
  Delete: () => askToEnd(view.watched || view.cursor),
  "/": () => find("filter").focus(),
  p: () => setPaused(!view.paused),
  t: nextTheme,
  "?": () => find("help").showModal(),
  r: () => view.watched && setForm(tail.form === "text" ? "events" : "text"),
  f: () => view.watched && setFollow(!tail.follow),
};
/** Keys that only mean the table when it has the focus: elsewhere they scroll, or press what they stand on. */
const TABLE_KEYS = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter"];

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || find("app").hidden || document.querySelector("dialog[open]"))
    return;
  if (event.key === "Escape") return stepBack();
  if (event.target.matches("input, textarea")) return;
  const free = event.target === document.body || (event.target.closest("#rows") && !event.target.closest("button"));
  if (TABLE_KEYS.includes(event.key) && !free) return;
  const act = Object.hasOwn(KEYS, event.key) && KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function stepBack() {
  const filter = find("filter");
  if (filter.value || document.activeElement === filter) {
    filter.value = view.filter = "";
    filter.blur();
    draw();
  } else if (view.watched) closeTail();
}

function start() {
  setTheme(recall("theme", "auto"));
  startGauges();
  startStreams();
  startTail();
  startSide();
  document.addEventListener("keydown", pressed);
  document.addEventListener("visibilitychange", draw);
  find("login").addEventListener("submit", signIn);
  find("leave").addEventListener("click", signOut);
  find("theme").addEventListener("click", nextTheme);
  find("pause").addEventListener("click", () => setPaused(!view.paused));
  find("help-open").addEventListener("click", () => find("help").showModal());
  find("help-close").addEventListener("click", () => find("help").close());
  find("ask-no").addEventListener("click", () => find("ask").close());
  setInterval(() => {
    if (state.boot) age();
  }, 1000);
  setInterval(() => {
    if (state.boot) draw();
  }, 250);
  enter();
}

start();
