// `ai` (Vercel): `streamText`, or `generateText` for one body, through one of its providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, streamText, tool } from "ai";
import { LETTER, PARAMETERS, serve } from "./loop.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

function model(ask) {
  const common = { apiKey: ask.key, baseURL: `${ask.base}/v1`, headers: ask.headers };
  switch (ask.provider) {
    case "anthropic":
      return createAnthropic(common)(ask.model);
    case "chat":
      return createOpenAI(common).chat(ask.model);
    default:
      return createOpenAI(common).responses(ask.model);
  }
}

await serve(async (ask, heard) => {
  const fields = { model: model(ask), prompt: ask.prompt, maxRetries: 0 };
  if (ask.tools.length) {
    const offered = ask.tools.map((name) => [name, tool({ description: name, inputSchema: jsonSchema(PARAMETERS) })]);
    fields.tools = Object.fromEntries(offered);
  }
  if (ask.json) {
    fields.output = Output.object({ schema: jsonSchema(LETTER) });
    // Of a model that it does not know it would ask for a tool call instead.
    fields.providerOptions = { anthropic: { structuredOutputMode: "outputFormat" } };
  }
  let result;
  if (ask.stream) {
    let failed;
    result = streamText({ ...fields, onError: () => {} });
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") heard.streamed[0] += part.text;
      else if (part.type === "error") failed = part.error;
    }
    if (failed) throw failed;
  } else {
    result = await generateText(fields);
  }
  if (ask.json) heard.parsed = await result.output;
  heard.text = [await result.text];
  heard.reasoning = (await result.reasoningText) ?? "";
  heard.calls = (await result.toolCalls).map((call) => [call.toolName, call.input]);
  heard.finish = [await result.finishReason];
  heard.tokens = (await result.usage).outputTokens ?? null;
});
