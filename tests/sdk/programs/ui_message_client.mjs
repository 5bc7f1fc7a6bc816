// What a page built on the AI SDK does, without the page: prints JSON. Runs in the SDK's own environment.
// Arguments: behaviour, the SDK's folder, the URL of /api/chat, JSON of what the behaviour wants.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [behaviour, folder, api, wanted] = process.argv.slice(2);
const { exports: entries } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
const sdk = await import(pathToFileURL(`${folder}/${entries["."].import}`).href);
const options = JSON.parse(wanted);
const transport = new sdk.DefaultChatTransport({ api, body: options.body });

// The message as readUIMessageStream gathers it, and every error that it tells.
async function read() {
  const messages = [{ id: "m1", role: "user", parts: [{ type: "text", text: "hello" }] }];
  const stream = await transport.sendMessages({ chatId: "c1", messages, trigger: "submit-message" });
  const errors = [];
  let message = null;
  let snapshots = 0;
  for await (const state of sdk.readUIMessageStream({ stream, onError: (error) => errors.push(error.message) })) {
    message = state;
    snapshots += 1;
  }
  return { message, errors, snapshots };
}

// What useChat's state is after each of `says`, where every tool call is answered with `outputs[name]`.
async function chat() {
  const finishes = [];
  const state = {
    status: "ready",
    error: undefined,
    messages: [],
    pushMessage: (message) => void (state.messages = [...state.messages, message]),
    popMessage: () => void (state.messages = state.messages.slice(0, -1)),
    replaceMessage: (index, message) => void (state.messages = state.messages.with(index, structuredClone(message))),
    snapshot: structuredClone,
  };
  class Chat extends sdk.AbstractChat {}
  const page = new Chat({
    id: "c1",
    state,
    transport,
    onFinish: ({ finishReason, isError }) => finishes.push({ finishReason, isError }),
    onToolCall: ({ toolCall: { toolName, toolCallId } }) => {
      if (toolName in (options.outputs ?? {})) {
        page.addToolOutput({ tool: toolName, toolCallId, output: options.outputs[toolName] });
      }
    },
    sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
  });
  for (const text of options.says) await page.sendMessage({ text });
  return { messages: state.messages, status: state.status, error: state.error?.message, finishes };
}

process.stdout.write(JSON.stringify(await { read, chat }[behaviour]()));
