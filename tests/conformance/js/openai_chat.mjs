// `openai` (JavaScript), Chat Completions: `.stream()` with `finalChatCompletion()`, or `create` for one body.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { chatTools, serve } from "./loop.mjs";

await serve(async (ask, heard) => {
  const client = new OpenAI({ baseURL: `${ask.base}/v1`, apiKey: ask.key, maxRetries: 0, defaultHeaders: ask.headers });
  const fields = { model: ask.model, messages: [{ role: "user", content: ask.prompt }], n: ask.n };
  if (ask.tools.length) fields.tools = chatTools(ask.tools);
  if (ask.json) {
    const letter = z.object({ to: z.string(), about: z.string() });
    fields.response_format = zodResponseFormat(letter, "letter");
  }
  let completion;
  if (ask.stream) {
    heard.streamed = Array(ask.n).fill("");
    const stream = client.chat.completions.stream({ ...fields, stream_options: { include_usage: true } });
    for await (const chunk of stream) {
      heard.note ??= chunk.guardrail ?? null;
      for (const { index, delta } of chunk.choices) {
        heard.streamed[index] += delta.content ?? "";
        heard.reasoning += delta.reasoning_content ?? "";
      }
    }
    completion = await stream.finalChatCompletion();
  } else {
    completion = await client.chat.completions[ask.json ? "parse" : "create"](fields);
    heard.note = completion.guardrail ?? null;
  }
  for (const { message, finish_reason } of completion.choices) {
    heard.text.push(message.content ?? "");
    heard.finish.push(finish_reason);
    heard.refusal = message.refusal ?? "";
    heard.parsed = message.parsed ?? null;
    heard.reasoning ||= message.reasoning_content ?? "";
    for (const call of message.tool_calls ?? []) {
      heard.calls.push([call.function.name, JSON.parse(call.function.arguments)]);
    }
  }
  heard.tokens = completion.usage?.completion_tokens ?? null;
});
