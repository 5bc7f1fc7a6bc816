"use strict"
/* From the proxy's bytes to the parts of a message, by either way to ask. `askByPost` and `askBySource` end when the answer
   is whole and throw a Fault when it is not; leaving is the caller's `signal`, and throws what that was aborted with. */

class Fault extends Error {
  constructor(title, text, {id = "", wait = "", status = 0} = {}) {
    super(text)
    Object.assign(this, {title, id, wait, status})
  }
}

const TITLES = {
  auth: "The key was not accepted",
  unauthorized: "The key was not accepted",
  permission: "Not allowed",
  forbidden: "Not allowed",
  not_found: "Not found",
  invalid_request: "The request was not understood",
  context_length: "The conversation is too long for this model",
  content_filter: "Held back by a filter",
  rate_limit: "Too many requests",
  cooling: "Every account is cooling down",
  quota: "The quota is used up",
  overloaded: "The provider is overloaded",
  timeout: "No answer in time",
  unusable: "No account can be used",
  draining: "The proxy is shutting down",
  busy: "The proxy is busy",
}

function authorize() {
  const key = memory.read("key")
  return key ? {authorization: `Bearer ${key}`} : {}
}

/* A request to the proxy that was answered. Throws a Fault when it was not, or not well. */
async function request(path, options = {}) {
  let response
  try {
    response = await fetch(path, {cache: "no-store", ...options, headers: {...options.headers, ...authorize()}})
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason
    throw new Fault("The proxy cannot be reached", "Nobody answered at this page's own address.")
  }
  if (!response.ok) throw await readFault(response)
  return response
}

/* `{"error": "…", "code"}` of the UI message stream, or `{"error": {"message", "code"}}` of OpenAI's lists. */
async function readFault(response) {
  const text = await response.text().catch(() => "")
  let body = {}
  try { body = JSON.parse(text) ?? {} } catch { /* not ours: something between answered */ }
  const error = body.error ?? {}
  const code = body.code ?? error.code ?? error.type ?? ""
  const said = (typeof error === "string" ? error : error.message) || text.slice(0, 300) || "No reason was given."
  const seconds = response.headers.get("retry-after")
  return new Fault(TITLES[code] ?? `Refused with status ${response.status}`, said, {
    id: body.request_id ?? response.headers.get("x-penstock-request-id") ?? "",
    wait: seconds ? `in ${seconds} s` : "",
    status: response.status,
  })
}

/* The data of each event, of a stream whose lines end in LF. Comments, names and ids say nothing here. */
async function* readData(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = "", data = []
  for (;;) {
    const {done, value} = await reader.read()
    if (done) return
    const lines = (rest + value).split("\n")
    rest = lines.pop()
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5))
      else if (!line && data.length) { yield data.join("\n"); data = [] }
    }
  }
}

const CUT = () => new Fault("The answer broke off", "The stream ended before the answer was whole.")

async function askByPost(body, answer, signal) {
  const response = await request("api/chat", {
    method: "POST", signal, headers: {"content-type": "application/json"}, body: JSON.stringify(body),
  })
  answer.note(response.headers)
  try {
    for await (const data of readData(response.body)) {
      if (data === "[DONE]") return
      answer.take(JSON.parse(data))
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error instanceof Fault ? error : CUT()
  }
  throw CUT()
}

/* An EventSource sends no fields and shows no status. It would ask again by itself when a stream ends: it is closed first. */
function askBySource(body, answer, signal) {
  const asked = body.messages.findLast(message => message.role === "user")
  const query = new URLSearchParams({prompt: asked.parts.map(part => part.text).join("\n")})
  const more = {model: body.model, system: body.system, key: memory.read("key")}
  for (const [name, value] of Object.entries(more)) if (value) query.set(name, value)
  return new Promise((resolve, reject) => {
    const source = new EventSource(`api/stream?${query}`)
    const close = (settle, value) => { source.close(); settle(value) }
    signal.addEventListener("abort", () => close(reject, signal.reason))
    source.onmessage = event => { try { answer.take(JSON.parse(event.data)) } catch (error) { close(reject, error) } }
    source.addEventListener("end", () => close(resolve))
    source.onerror = () => close(reject, answer.began ? CUT() : new Fault(
      "The stream did not begin", "An EventSource cannot say why. Asked with the UI message stream, the reason is shown."))
  })
}

/* Gathers the chunks of an answer into `message.parts`, as the AI SDK keeps them. changed(part) is called for each.
   A call's arguments as they came stand under a symbol, which JSON leaves out. */
const RAW = Symbol("raw")

class Answer {
  constructor(message, changed) {
    Object.assign(this, {message, changed, parts: new Map(), began: false, first: 0, end: 0, metadata: {}, finish: "", by: ""})
  }

  note(headers) {
    this.by = [headers.get("x-penstock-provider"), headers.get("x-penstock-account")].filter(Boolean).join("/")
    this.id = headers.get("x-penstock-request-id") ?? ""
  }

  take(chunk) {
    this.began = true
    TAKERS[chunk.type]?.(this, chunk)
  }

  open(key, part) {
    this.parts.set(key, part)
    this.message.parts.push(part)
    this.changed(part)
  }

  update(key, change) {
    const part = this.parts.get(key)
    if (!part) return
    this.first ||= performance.now()
    this.end = performance.now()
    change(part)
    this.changed(part)
  }
}

const takeText = kind => ({
  [`${kind}-start`]: (answer, chunk) => answer.open(`${kind} ${chunk.id}`, {
    type: kind, text: "", state: "streaming", ...(chunk.providerMetadata && {providerMetadata: chunk.providerMetadata}),
  }),
  [`${kind}-delta`]: (answer, chunk) => answer.update(`${kind} ${chunk.id}`, part => { part.text += chunk.delta }),
  [`${kind}-end`]: (answer, chunk) => answer.update(`${kind} ${chunk.id}`, part => {
    part.state = "done"
    if (chunk.providerMetadata) part.providerMetadata = chunk.providerMetadata
  }),
})

const TAKERS = {
  ...takeText("text"),
  ...takeText("reasoning"),
  "start": (answer, chunk) => { if (chunk.messageId) answer.message.id = chunk.messageId },
  "start-step": answer => answer.message.parts.push({type: "step-start"}),
  "tool-input-start": (answer, chunk) => answer.open(chunk.toolCallId, {
    type: `tool-${chunk.toolName}`, toolCallId: chunk.toolCallId, state: "input-streaming", [RAW]: "",
  }),
  "tool-input-delta": (answer, chunk) => answer.update(chunk.toolCallId, part => { part[RAW] += chunk.inputTextDelta }),
  "tool-input-available": (answer, chunk) => answer.update(chunk.toolCallId, part => Object.assign(part, {
    state: "input-available", input: chunk.input, ...(chunk.providerMetadata && {callProviderMetadata: chunk.providerMetadata}),
  })),
  "tool-input-error": (answer, chunk) => answer.update(chunk.toolCallId, part => Object.assign(part, {
    state: "output-error", rawInput: chunk.input, errorText: chunk.errorText,
    ...(chunk.providerMetadata && {callProviderMetadata: chunk.providerMetadata}),
  })),
  "file": (answer, chunk) => {
    const key = Symbol("file")
    answer.open(key, {type: "file", mediaType: chunk.mediaType, url: chunk.url})
    answer.update(key, () => {})
  },
  "finish": (answer, chunk) => Object.assign(answer, {metadata: chunk.messageMetadata ?? {}, finish: chunk.finishReason ?? ""}),
  "error": (answer, chunk) => { throw new Fault("The answer broke off", chunk.errorText, {id: answer.id}) },
}
