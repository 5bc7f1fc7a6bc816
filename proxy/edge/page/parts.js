"use strict"
/* A part of a message as it is seen: each view has a root and `draw`, which is called once per frame while the part grows. */

class TextView {
  constructor(part) {
    this.part = part
    this.root = build("div", {class: part.providerMetadata?.penstock?.refusal ? "prose refusal" : "prose"})
    this.prose = new Prose(this.root)
  }

  draw() { this.prose.write(this.part.text) }
}

class ReasoningView {
  constructor(part) {
    this.part = part
    this.began = performance.now()
    this.name = build("span", {}, "Thinking")
    const inner = build("div", {class: "prose"})
    this.root = build("details", {class: "reasoning live"}, build("summary", {}, this.name), inner)
    this.prose = new Prose(inner)
  }

  draw() {
    this.prose.write(this.part.text)
    if (this.part.state === "streaming" || !this.root.classList.contains("live")) return
    this.root.classList.remove("live")
    const seconds = (performance.now() - this.began) / 1000
    this.name.textContent = this.part.text ? `Thought for ${formatSeconds(seconds)}` : "Thought, unseen"
  }
}

const CALL_STATES = {
  "input-streaming": "arguments are coming",
  "input-available": "waits for its result",
  "output-available": "answered",
  "output-error": "no result",
}

/* A call: its arguments as they come, letter by letter, then laid out; and where its result is typed in. */
class CallView {
  constructor(part, answered) {
    this.part = part
    this.state = build("span", {class: "state"})
    this.code = build("code")
    this.result = build("textarea", {rows: 1, "aria-label": "Result of the call", placeholder: "Its result: text or JSON"})
    this.form = build("form", {class: "result", hidden: true}, this.result, build("button", {class: "main"}, "Send result"))
    this.given = build("pre", {class: "given", hidden: true, tabindex: 0})
    const name = build("span", {class: "name"}, part.type.slice("tool-".length))
    const head = build("div", {class: "head"}, buildIcon("tool"), name, this.state)
    this.root = build("section", {class: "call", "aria-label": "Tool call"}, head, build("pre", {tabindex: 0}, this.code), this.form, this.given)
    this.form.addEventListener("submit", event => { event.preventDefault(); this.answer(answered) })
    this.result.addEventListener("keydown", event => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.answer(answered) }
    })
  }

  answer(answered) {
    const text = this.result.value.trim()
    if (!text || this.part.state !== "input-available") return
    let output = text
    try { output = JSON.parse(text) } catch { /* a text is a result too */ }
    Object.assign(this.part, {state: "output-available", output})
    this.draw()
    answered()
  }

  draw() {
    const {state, input, rawInput} = this.part
    this.root.dataset.state = state
    this.state.textContent = CALL_STATES[state] ?? state
    this.code.textContent = input === undefined ? rawInput ?? this.part[RAW] ?? "" : layOut(input)
    this.form.hidden = state !== "input-available"
    this.given.hidden = !state.startsWith("output")
    if (state === "output-available") this.given.textContent = layOut(this.part.output)
    if (state === "output-error") this.given.textContent = this.part.errorText
  }
}

/* JSON as people write it: on one line where it is short. */
function layOut(value) {
  if (typeof value === "string") return value
  const tall = JSON.stringify(value, null, 2)
  const line = tall.replace(/\n */g, " ")
  return line.length <= 64 ? line : tall
}

class FileView {
  constructor(part) {
    const shown = /^data:image\/(?:png|jpeg|webp|gif|avif);/.test(part.url)
    this.root = shown ? build("img", {src: part.url, alt: "An image of the answer"}) : build("p", {class: "foot"}, `A file: ${part.mediaType}`)
  }

  draw() {}
}

function openView(part, answered) {
  if (part.type === "text") return new TextView(part)
  if (part.type === "reasoning") return new ReasoningView(part)
  if (part.type === "file") return new FileView(part)
  return new CallView(part, answered)
}

function buildFault(fault, again) {
  const details = [fault.wait && `Try again ${fault.wait}`, fault.id].filter(Boolean).join(" · ")
  const button = build("button", {type: "button"}, "Try again")
  button.addEventListener("click", again)
  return build("div", {class: "fault", role: "alert"},
    build("strong", {}, fault.title), build("p", {}, fault.message),
    build("div", {class: "row"}, button, build("span", {class: "foot"}, details)))
}

const ENDS = {
  "length": "stopped at the token limit",
  "content-filter": "ended by the provider's filter",
  "error": "ended by an error of the model",
  "other": "ended for a reason of the provider's",
}

/* The line below an answer: who gave it, how fast. Counted are tokens where the provider tells them. */
function buildFoot(answer, asked, stopped) {
  const {usage = {}, model} = answer.metadata
  const seconds = (answer.end - answer.first) / 1000
  const facts = [stopped ? "stopped" : ENDS[answer.finish], model, answer.by && answer.by !== model ? answer.by : ""]
  if (answer.first) facts.push(`first after ${formatSeconds((answer.first - asked) / 1000)}`)
  if (usage.outputTokens !== undefined) {
    facts.push(`${usage.inputTokens ?? "?"} tokens in, ${usage.outputTokens} out`)
    if (seconds > 0.2) facts.push(`${Math.round(usage.outputTokens / seconds)} per second`)
  }
  return build("p", {class: "foot", title: answer.id || undefined}, facts.filter(Boolean).join(" · "))
}

const formatSeconds = seconds => seconds < 0.995 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`
