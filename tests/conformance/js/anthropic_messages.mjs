// `@anthropic-ai/sdk`: `messages.stream()` with `finalMessage()`, or `create` for one body.
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { PARAMETERS, serve } from "./loop.mjs";

await serve(async (ask, heard) => {
  const client = new Anthropic({ baseURL: ask.base, apiKey: ask.key, maxRetries: 0, defaultHeaders: ask.headers });
  const fields = { model: ask.model, max_tokens: 1024, messages: [{ role: "user", content: ask.prompt }] };
  if (ask.tools.length) {
    fields.tools = ask.tools.map((name) => ({ name, description: name, input_schema: PARAMETERS }));
  }
  if (ask.json) {
    fields.output_config = { format: zodOutputFormat(z.object({ to: z.string(), about: z.string() })) };
  }
  let message;
  if (ask.stream) {
    const stream = client.messages.stream(fields);
    stream.on("text", (text) => (heard.streamed[0] += text));
    message = await stream.finalMessage();
  } else {
    message = await client.messages[ask.json ? "parse" : "create"](fields);
  }
  heard.note = message.guardrail ?? null;
  heard.text = [""];
  for (const block of message.content) {
    if (block.type === "text") heard.text[0] += block.text;
    else if (block.type === "thinking") heard.reasoning += block.thinking;
    else if (block.type === "tool_use") heard.calls.push([block.name, block.input]);
  }
  heard.parsed = message.parsed_output ?? null;
  heard.finish = [message.stop_reason];
  heard.tokens = message.usage.output_tokens;
});
