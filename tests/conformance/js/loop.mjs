// How a client's script is driven: one JSON line in for each question, one JSON line out for what its user got.
// `run(ask, heard)` fills in `heard` as it goes, so when the client throws, what its user had until then is still told.
import readline from "node:readline";

export const PARAMETERS = { type: "object", properties: {}, additionalProperties: true };

export const LETTER = {
  type: "object",
  properties: { to: { type: "string" }, about: { type: "string" } },
  required: ["to", "about"],
  additionalProperties: false,
};

export async function serve(run) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const ask = { model: "sim", stream: true, tools: [], n: 1, json: false, headers: {}, ...JSON.parse(line) };
    const heard = {
      streamed: [""], text: [], refusal: "", reasoning: "", calls: [], finish: [], tokens: null, note: null, parsed: null,
      helper_error: "", error: "", message: "",
    };
    try {
      await run(ask, heard);
    } catch (error) {
      heard.error = nameOf(error);
      heard.message = String(error?.message ?? error);
    }
    process.stdout.write(JSON.stringify(heard) + "\n");
  }
}

// `ai` gives an error that came in the stream as it was in the stream: an object that is no `Error`.
function nameOf(error) {
  if (!(error instanceof Error)) return "error part";
  return error.name === "Error" ? error.constructor.name : error.name;
}

export function chatTools(names) {
  return names.map((name) => ({ type: "function", function: { name, description: name, parameters: PARAMETERS } }));
}
