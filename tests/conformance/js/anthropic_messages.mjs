// `@anthropic-ai/sdk`: `messages.stream()` with `finalMessage()`, or `create` for one body.
import Anthropic from "@anthropic-ai/sdk";
import { PARAMETERS, serve } from "./loop.mjs";

await serve(async (ask, heard) => {
  const client = new Anthropic({ baseURL: ask.base, apiKey: ask.key, maxRetries: 0, defaultHeaders: ask.headers });
  const fields = { model: ask.model, max_tokens: 1024, messages: [{ role: "user", content: ask.prompt }] };
  if (ask.tools.length) {
    fields.tools = ask.tools.map((name) => ({ name, description: name, input_schema: PARAMETERS }));
  }
  let message;
  if (ask.stream) {
    const stream = client.messages.stream(fields);
    stream.on("text", (text) => (heard.streamed[0] += text));
    message = await stream.finalMessage();
  } else {
    message = await client.messages.create(fields);
  }
  heard.note = message.guardrail ?? null;
  heard.text = [""];
  for (const block of message.content) {
    if (block.type === "text") heard.text[0] += block.text;
    else if (block.type === "thinking") heard.reasoning += block.thinking;
    else if (block.type === "tool_use") heard.calls.push([block.name, block.input]);
  }
  heard.finish = [message.stop_reason];
  heard.tokens = message.usage.output_tokens;
});
