// Reads what a client printed, a JSON object per line: was a tool called, did its result go back, was there an answer?
// Arguments: client, file of its output, its HOME. Prints "ok: …" or "FAILED: …".
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [client, out, home] = process.argv.slice(2);

function read(file) {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

// Each gives the names of the tools called, how many results went back and whether one of them tells of a failure, the
// words after the last result, and what the client says went wrong.
const readers = {
  claude(events) {
    const content = events.flatMap((event) => (Array.isArray(event.message?.content) ? event.message.content : []));
    const last = events.findLast((event) => event.type === "result");
    return {
      calls: content.filter((part) => part.type === "tool_use").map((part) => part.name),
      results: content.filter((part) => part.type === "tool_result").length,
      failed: content.some((part) => part.type === "tool_result" && part.is_error),
      text: last?.is_error ? "" : last?.result,
      error: last?.is_error ? last.result : "",
    };
  },
  codex(events) {
    // its output does not show every tool, its record of the session does
    const sessions = join(home, ".codex", "sessions");
    const names = existsSync(sessions) ? readdirSync(sessions, { recursive: true }) : [];
    const records = names.filter((name) => name.endsWith(".jsonl")).flatMap((name) => read(join(sessions, name)));
    const items = records.map((record) => record.payload);
    const ended = events.some((event) => event.type === "turn.completed");
    const said = events.map((event) => event.item).findLast((item) => item?.type === "agent_message");
    return {
      calls: items.filter((item) => item?.type === "function_call").map((item) => item.name),
      results: items.filter((item) => item?.type === "function_call_output").length,
      text: ended ? said?.text : "",
      error: events.findLast((event) => event.type === "turn.failed")?.error?.message,
    };
  },
  gemini(events) {
    const after = events.slice(events.findLastIndex((event) => event.type === "tool_result") + 1);
    const ended = events.some((event) => event.type === "result" && event.status === "success");
    const said = after.filter((event) => event.type === "message" && event.role === "assistant");
    return {
      calls: events.filter((event) => event.type === "tool_use").map((event) => event.tool_name),
      results: events.filter((event) => event.type === "tool_result").length,
      failed: events.some((event) => event.type === "tool_result" && event.status !== "success"),
      text: ended ? said.map((event) => event.content).join("") : "",
      error: events.findLast((event) => event.type === "result" && event.error)?.error.message,
    };
  },
};

function judge({ calls, results, failed, text, error }) {
  if (error) return `FAILED: ${error.replaceAll(/\s+/g, " ").slice(0, 120)}`;
  if (!calls.length) return "FAILED: no tool was called";
  if (results < calls.length) return `FAILED: ${calls.length} calls, ${results} results`;
  if (failed) return `FAILED: called ${calls.join(", ")}, and that failed`;
  if (!text) return "FAILED: no answer after the tool's result";
  return `ok: called ${calls.join(", ")}, answered in ${text.split(" ").length} words`;
}

console.log(judge(readers[client](read(out))));
