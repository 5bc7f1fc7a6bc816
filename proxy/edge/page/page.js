"use strict"
/* The conversation, and what the person does. One answer runs at a time: `turn`, null when none does. Messages are kept as the
   AI SDK keeps them and sent whole; nothing of them outlives the tab. */

const SAMPLE_TOOLS = {
  weather: {
    description: "The weather at a place, now",
    inputSchema: {type: "object", properties: {city: {type: "string"}}, required: ["city"]},
  },
}

const log = find("log"), scroll = find("scroll"), prompt = find("prompt"), send = find("send"), model = find("model")
const settings = find("settings"), key = find("key"), schema = find("schema"), reasoning = find("reasoning")
let messages = []
let turn = null
let following = true // the end of the conversation is kept in sight

// ---- asking ----

function say(text) {
  const words = text.trim()
  if (!words || turn) return
  for (const part of messages.flatMap(message => message.parts)) {
    if (part.state === "input-available") Object.assign(part, {state: "output-error", errorText: "The user went on without it."})
  }
  for (const view of views) view.draw()
  messages.push({id: crypto.randomUUID?.() ?? String(messages.length), role: "user", parts: [{type: "text", text: words}]})
  log.append(build("li", {class: "user"}, build("div", {class: "bubble"}, words)))
  prompt.value = ""
  grow(prompt)
  following = true
  void ask()
}

const views = new Set() // of calls, which go on after their answer

/* Ask for what comes next: a new message, or more of the last one when results were added to it. */
async function ask() {
  for (const button of log.querySelectorAll(".fault button")) button.remove() // what failed before is behind us
  const last = messages.at(-1)
  const message = last.role === "assistant" ? last : {id: "", role: "assistant", parts: []}
  const body = buildBody()
  const item = build("li", {class: "assistant live"})
  const shown = new Map()
  const kept = message.parts.length
  const answer = new Answer(message, part => {
    if (!shown.has(part)) {
      const view = openView(part, goOn)
      if (view instanceof CallView) views.add(view)
      shown.set(part, view)
      item.append(view.root)
    }
    painting.add(shown.get(part))
  })
  if (message !== last) messages.push(message)
  log.append(item)
  turn = {stop: new AbortController(), asked: performance.now()}
  const {stop, asked} = turn
  showBusy()
  try {
    await (memory.read("transport") === "event-source" ? askBySource : askByPost)(body, answer, stop.signal)
    finish(item, shown, buildFoot(answer, asked, false))
    tell(answer.finish === "tool-calls" ? "A tool is called: type its result" : "Answered")
    if (document.activeElement === prompt && !prompt.value) item.querySelector(".result:not([hidden]) textarea")?.focus()
  } catch (error) {
    if (stop.signal.aborted) {
      finish(item, shown, buildFoot(answer, asked, true))
      return tell("Stopped")
    }
    const fault = error instanceof Fault ? error : new Fault("The answer could not be shown", String(error))
    const again = () => {
      message.parts.length = kept
      if (!kept) messages.pop()
      item.remove()
      prompt.focus()
      void ask()
    }
    finish(item, shown, buildFault(fault, again))
    tell(`${fault.title}. ${fault.message}`)
    if (fault.status === 401) wantKey(fault.message)
  }
}

function finish(item, shown, foot) {
  turn = null
  for (const [part, view] of shown) {
    if (part.state === "streaming") part.state = "done"
    painting.add(view)
  }
  item.classList.remove("live")
  item.append(foot)
  painting.flush()
  showBusy()
}

/* A call's result was typed in: the conversation goes on when it was the last that was awaited. */
function goOn() {
  if (!turn && !messages.at(-1).parts.some(part => part.state === "input-available")) {
    prompt.focus()
    void ask()
  }
}

function buildBody() {
  const said = messages.filter(message => message.parts.some(part => part.type !== "step-start"))
  const body = {id: "chat", trigger: "submit-message", model: model.value, messages: said}
  if (memory.read("system")) body.system = memory.read("system")
  if (reasoning.value) body.reasoning = reasoning.value
  if (find("tools").getAttribute("aria-pressed") === "true") body.tools = readTools()
  return body
}

function readTools() {
  return memory.read("schema") ? JSON.parse(memory.read("schema")) : SAMPLE_TOOLS
}

function stop() {
  turn?.stop.abort(new DOMException("stopped", "AbortError"))
}

function startAnew() {
  stop()
  messages = []
  views.clear()
  log.replaceChildren()
  showBusy()
  prompt.focus()
}

// ---- showing ----

function showBusy() {
  document.body.classList.toggle("busy", turn !== null)
  document.body.classList.toggle("empty", !log.childElementCount)
  send.setAttribute("aria-label", turn ? "Stop" : "Send")
  if (turn) tell("Answering")
  follow()
}

const tell = text => { find("status").textContent = text }

function follow() {
  if (following) scroll.scrollTop = scroll.scrollHeight
  find("latest").hidden = following
}
painting.after = follow

function grow(area) {
  area.style.height = "auto"
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`
}

function showSettings() {
  const others = memory.read("transport") === "event-source"
  find("way").textContent = others ? " · with EventSource: each question by itself" : ""
  const tools = find("tools")
  tools.disabled = reasoning.disabled = others
  tools.title = others ? "An EventSource asks without tools" : ""
}

async function loadModels() {
  try {
    const list = await (await request("v1/models")).json()
    const names = list.data.map(entry => entry.id)
    const chosen = names.includes(memory.read("model")) ? memory.read("model") : names[0]
    model.replaceChildren(...names.map(name => build("option", {value: name, selected: name === chosen}, name)))
    find("lead").textContent = names.length ? "Answers come straight from the proxy, event by event." : "No models are configured here."
  } catch (fault) {
    find("lead").textContent = `${fault.title}. ${fault.message}`
    if (fault.status === 401) wantKey(fault.message)
  }
}

function wantKey(text) {
  const wanted = find("wanted")
  wanted.textContent = memory.read("key") ? "This key was not accepted." : text
  wanted.hidden = false
  openSettings()
  key.focus()
}

function openSettings() {
  key.value = memory.read("key")
  find("system").value = memory.read("system")
  schema.value = memory.read("schema") || JSON.stringify(SAMPLE_TOOLS, null, 2)
  document.querySelector(`[name=transport][value=${memory.read("transport") || "ui-message"}]`).checked = true
  if (!settings.open) settings.showModal()
}

function readSettings(event) {
  event.preventDefault()
  try {
    const tools = JSON.parse(schema.value || "{}")
    if (typeof tools !== "object" || tools === null) throw SyntaxError("an object of tools, by name")
  } catch (error) {
    schema.setCustomValidity(`No JSON: ${error.message}`)
    return schema.reportValidity()
  }
  memory.write("schema", schema.value)
  memory.write("system", find("system").value.trim())
  memory.write("transport", new FormData(event.target).get("transport"))
  const changed = key.value.trim() !== memory.read("key") || !model.options.length
  memory.write("key", key.value.trim())
  find("wanted").hidden = true
  settings.close()
  showSettings()
  if (changed) void loadModels()
}

const THEMES = {"": ["light", "light"], "light": ["dark", "dark"], "dark": ["", "as the system"]}

function paint(theme) {
  const name = theme in THEMES ? theme : ""
  document.documentElement.dataset.theme = name
  memory.write("theme", name)
  find("theme").setAttribute("aria-label", `Colours: ${name || "as the system"}`)
  find("theme").title = `Colours: ${name || "as the system"}`
}

// ---- what the person does ----

find("composer").addEventListener("submit", event => {
  event.preventDefault()
  if (turn) stop()
  else say(prompt.value)
})
prompt.addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault()
    say(prompt.value)
  } else if (event.key === "ArrowUp" && !prompt.value) {
    prompt.value = messages.findLast(message => message.role === "user")?.parts[0].text ?? ""
    grow(prompt)
  }
})
document.addEventListener("keydown", event => {
  if (event.key === "Escape" && turn && !settings.open) stop()
})
document.addEventListener("input", event => { if (event.target.matches("#prompt, .result textarea")) grow(event.target) })
scroll.addEventListener("scroll", () => {
  following = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48
  find("latest").hidden = following
}, {passive: true})
find("latest").addEventListener("click", () => { following = true; follow(); prompt.focus() })
find("ideas").addEventListener("click", event => {
  const idea = event.target.closest("button")
  if (!idea) return
  if ("tools" in idea.dataset) find("tools").setAttribute("aria-pressed", "true")
  prompt.focus()
  say(idea.textContent)
})
find("tools").addEventListener("click", event => {
  const pressed = event.currentTarget.getAttribute("aria-pressed") !== "true"
  event.currentTarget.setAttribute("aria-pressed", String(pressed))
})
find("new").addEventListener("click", startAnew)
find("theme").addEventListener("click", () => paint(THEMES[memory.read("theme")][0]))
find("open-settings").addEventListener("click", openSettings)
find("settings-form").addEventListener("submit", readSettings)
settings.addEventListener("click", event => { if (event.target === settings) settings.close() })
settings.addEventListener("close", () => prompt.focus())
schema.addEventListener("input", () => schema.setCustomValidity(""))
model.addEventListener("change", () => memory.write("model", model.value))

paint(memory.read("theme"))
showSettings()
showBusy()
prompt.focus()
void loadModels()
