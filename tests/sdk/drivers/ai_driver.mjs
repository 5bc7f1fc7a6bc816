// The matrix through npm `ai`: the chat state and the transport that useChat stands on. Standard input: the plan, with
// the SDK's folder as `package`. Prints one JSON line per cell.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const plan = JSON.parse(readFileSync(0, "utf8"));
const { exports: entries } = JSON.parse(readFileSync(`${plan.package}/package.json`, "utf8"));
const sdk = await import(pathToFileURL(`${plan.package}/${entries["."].import}`).href);
const RESULT = "It is sunny.";
const WORKERS = 6;

class Chat extends sdk.AbstractChat {}

function buildBody(cell) {
  const body = { model: cell.model };
  const tool = { description: "Of a city.", inputSchema: plan.schema };
  if (cell.tools.length) body.tools = Object.fromEntries(cell.tools.map((name) => [name, tool]));
  if (cell.think) body.reasoning = "low";
  if (cell.limit) body.maxOutputTokens = cell.limit;
  if (cell.schema) body.responseFormat = { type: "json", schema: plan.schema, name: "place" };
  return body;
}

async function ask(cell) {
  const said = { text: "", thought: "", refusal: "", calls: [], stop: "", signed: 0, input: null, output: null };
  Object.assign(said, { reasoning: null, error: null, events: 0 });
  const headers = { authorization: `Bearer ${plan.key}` };
  const transport = new sdk.DefaultChatTransport({ api: `${plan.base_url}/api/chat`, headers, body: buildBody(cell) });
  const state = {
    status: "ready",
    error: undefined,
    messages: [],
    pushMessage: (message) => void (state.messages = [...state.messages, message]),
    popMessage: () => void (state.messages = state.messages.slice(0, -1)),
    replaceMessage: (index, message) => {
      said.events += 1;
      state.messages = state.messages.with(index, structuredClone(message));
    },
    snapshot: structuredClone,
  };
  const page = new Chat({
    id: cell.id,
    state,
    transport,
    onFinish: ({ finishReason }) => void (said.stop = finishReason ?? ""),
    onToolCall: ({ toolCall: { toolName, toolCallId } }) => {
      if (cell.follow) page.addToolOutput({ tool: toolName, toolCallId, output: RESULT });
    },
    sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
  });
  const files = cell.image ? [{ type: "file", mediaType: "image/png", url: `data:image/png;base64,${plan.png}` }] : [];
  await page.sendMessage({ text: cell.text, files });
  if (state.error) said.error = { class: state.error.name, status: null, message: state.error.message };
  read(cell, state.messages.at(-1), said);
  return { id: cell.id, said };
}

function read(cell, message, said) {
  if (message.role !== "assistant") return;
  const steps = message.parts.findLastIndex((part) => part.type === "step-start");
  for (const part of message.parts.slice(cell.follow ? steps : 0)) {
    const isRefusal = JSON.stringify(part.providerMetadata ?? {}).includes("refusal");
    if (part.type === "text") said[isRefusal ? "refusal" : "text"] += part.text;
    if (part.type === "reasoning") said.thought += part.text;
    if (part.type.startsWith("tool-")) said.calls.push([part.type.slice(5), part.input]);
    if (part.providerMetadata ?? part.callProviderMetadata) said.signed += 1;
  }
  const usage = message.metadata?.usage;
  if (!usage) return;
  [said.input, said.output] = [usage.inputTokens ?? null, usage.outputTokens ?? null];
  said.reasoning = usage.outputTokenDetails?.reasoningTokens ?? null;
}

const waiting = [...plan.cells];
async function work() {
  for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
    process.stdout.write(`${JSON.stringify(await ask(cell))}\n`);
  }
}
await Promise.all(Array.from({ length: WORKERS }, work));
