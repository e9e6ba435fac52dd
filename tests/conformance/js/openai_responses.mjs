// `openai` (JavaScript), Responses: `.stream()` with `finalResponse()`, or `create` for one body.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { PARAMETERS, serve } from "./loop.mjs";

await serve(async (ask, heard) => {
  const client = new OpenAI({ baseURL: `${ask.base}/v1`, apiKey: ask.key, maxRetries: 0, defaultHeaders: ask.headers });
  const fields = { model: ask.model, input: ask.prompt };
  if (ask.tools.length) {
    fields.tools = ask.tools.map((name) => ({ type: "function", name, parameters: PARAMETERS, strict: false }));
  }
  if (ask.json) {
    const letter = z.object({ to: z.string(), about: z.string() });
    fields.text = { format: zodTextFormat(letter, "letter") };
  }
  let response;
  if (ask.stream) {
    const stream = client.responses.stream(fields);
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") heard.streamed[0] += event.delta;
    }
    response = await stream.finalResponse();
  } else {
    response = await client.responses[ask.json ? "parse" : "create"](fields);
  }
  heard.note = response.guardrail ?? null;
  heard.text = [response.output_text];
  heard.parsed = response.output_parsed ?? null;
  for (const item of response.output) {
    if (item.type === "message") {
      for (const part of item.content) if (part.type === "refusal") heard.refusal += part.refusal;
    } else if (item.type === "reasoning") {
      for (const part of item.summary) heard.reasoning += part.text;
    } else if (item.type === "function_call") {
      heard.calls.push([item.name, JSON.parse(item.arguments)]);
    }
  }
  const detail = response.incomplete_details?.reason;
  heard.finish = [detail ? `${response.status}: ${detail}` : response.status];
  heard.tokens = response.usage?.output_tokens ?? null;
});
