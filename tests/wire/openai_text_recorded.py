"""Answers of legacy Completions in the shapes that servers send, written anew.

Sources: OpenAI's API reference (completion object, streaming, logprobs), the protocol of vLLM's server
(vllm/entrypoints/openai: `CompletionStreamResponse`, `CompletionResponse`, with `stop_reason`, `token_ids`,
`prompt_logprobs`, `kv_transfer_params`), SGLang's (`matched_stop`, `metadata`), llama.cpp's tools/server README
(`timings`, `logprobs` with `content`), and the DeepSeek API reference (usage of its cache).
"""

from __future__ import annotations

HEAD = b'data: {"id":"cmpl-7QmVI15qgYVllxK0FtxVGG6ywfzaq","object":"text_completion","created":1686617332,'
MODEL = b'"model":"gpt-3.5-turbo-instruct"}\n\n'

OPENAI = (
    HEAD + b'"choices":[{"text":"This","index":0,"logprobs":null,"finish_reason":null}],' + MODEL
    + HEAD + b'"choices":[{"text":" is","index":0,"logprobs":null,"finish_reason":null}],' + MODEL
    + HEAD + b'"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],' + MODEL
    + b"data: [DONE]\n\n"
)  # fmt: skip
LOGPROBS = (
    HEAD + b'"choices":[{"text":"Hi","index":0,"logprobs":{"tokens":["Hi"],"token_logprobs":[-0.02],"top_logprobs":'
    b'[{"Hi":-0.02,"Hello":-3.5}],"text_offset":[4]},"finish_reason":null}],"model":"m"}\n\n'
    + HEAD + b'"choices":[{"text":" you","index":0,"logprobs":{"tokens":[" you"],"token_logprobs":[-1.5],'
    b'"top_logprobs":[{" you":-1.5," there":-1.75}],"text_offset":[6]},"finish_reason":"length"}],"model":"m"}\n\n'
    + b"data: [DONE]\n\n"
)  # fmt: skip
VLLM = (
    b'data: {"id":"cmpl-a","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" San",'
    b'"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":[9707,11],"token_ids":[5836]}],'
    b'"usage":null}\n\n'
    b'data: {"id":"cmpl-a","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" Fran",'
    b'"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":[80328]}],'
    b'"usage":null}\n\n'
    b'data: {"id":"cmpl-a","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"cisco",'
    b'"logprobs":null,"finish_reason":"stop","stop_reason":128001,"prompt_token_ids":null,"token_ids":[6155]}],'
    b'"usage":null}\n\n'
    b'data: {"id":"cmpl-a","object":"text_completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":2,'
    b'"total_tokens":5,"completion_tokens":3}}\n\n'
    b"data: [DONE]\n\n"
)
PROMPTS = (
    b'data: {"id":"cmpl-b","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"one",'
    b'"logprobs":null,"finish_reason":null}]}\n\n'
    b'data: {"id":"cmpl-b","object":"text_completion","created":1,"model":"m","choices":[{"index":1,"text":"two",'
    b'"logprobs":null,"finish_reason":null}]}\n\n'
    b'data: {"id":"cmpl-b","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"",'
    b'"logprobs":null,"finish_reason":"stop","matched_stop":2},{"index":1,"text":"","logprobs":null,'
    b'"finish_reason":"length","matched_stop":null}]}\n\n'
    b"data: [DONE]\n\n"
)
LLAMA_CPP = (
    b'data: {"choices":[{"text":"Hi","index":0,"logprobs":null,"finish_reason":null}],"created":1735142223,'
    b'"model":"m.gguf","system_fingerprint":"b4391-9ba399dfa7f1","object":"text_completion","id":"chatcmpl-c"}\n\n'
    b'data: {"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"created":1735142223,'
    b'"model":"m.gguf","system_fingerprint":"b4391-9ba399dfa7f1","object":"text_completion","usage":'
    b'{"completion_tokens":1,"prompt_tokens":1,"total_tokens":2},"id":"chatcmpl-c","timings":{"prompt_n":1,'
    b'"prompt_ms":53.7,"prompt_per_token_ms":53.7,"prompt_per_second":18.6,"predicted_n":1,"predicted_ms":41.2,'
    b'"predicted_per_token_ms":41.2,"predicted_per_second":24.2}}\n\n'
    b"data: [DONE]\n\n"
)

STREAMS = {
    "openai": OPENAI,
    "openai with log probabilities": LOGPROBS,
    "vllm": VLLM,
    "several prompts, sglang": PROMPTS,
    "llama.cpp": LLAMA_CPP,
}

BODIES = {
    "openai": (
        b'{\n  "id": "cmpl-uqkvlQyYK7bGYrRHQ0eXlWi7",\n  "object": "text_completion",\n  "created": 1589478378,\n'
        b'  "model": "gpt-3.5-turbo-instruct",\n  "system_fingerprint": "fp_44709d6fcb",\n  "choices": [\n    {\n'
        b'      "text": "\\n\\nThis is indeed a test",\n      "index": 0,\n      "logprobs": null,\n'
        b'      "finish_reason": "length"\n    }\n  ],\n  "usage": {\n    "prompt_tokens": 5,\n'
        b'    "completion_tokens": 7,\n    "total_tokens": 12\n  }\n}\n'
    ),
    "echo with log probabilities": (
        b'{"id":"cmpl-d","object":"text_completion","created":1,"model":"m","choices":[{"text":"Say hi","index":0,'
        b'"logprobs":{"tokens":["Say"," hi"],"token_logprobs":[null,-2.5],"top_logprobs":[null,{" hi":-2.5," it":-1}],'
        b'"text_offset":[0,3]},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":1,'
        b'"total_tokens":2}}'
    ),
    "vllm": (
        b'{"id":"cmpl-e","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" Paris",'
        b'"logprobs":null,"finish_reason":"stop","stop_reason":"Paris","token_ids":[12],"prompt_logprobs":[null,{"315":'
        b'{"logprob":-2.25,"rank":1,"decoded_token":" of"},"9822":{"logprob":-3,"rank":2,"decoded_token":" France"}}],'
        b'"prompt_token_ids":[1,2]}],"service_tier":null,"system_fingerprint":null,"usage":{"prompt_tokens":2,'
        b'"total_tokens":3,"completion_tokens":1,"prompt_tokens_details":null},"kv_transfer_params":{'
        b'"do_remote_prefill":true,"remote_block_ids":[1,2],"remote_engine_id":"8f5c1c0a","remote_host":"10.0.0.2",'
        b'"remote_port":5600}}'
    ),
    "sglang": (
        b'{"id":"f4a8","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" Paris",'
        b'"logprobs":null,"finish_reason":"stop","matched_stop":128009,"hidden_states":[[0.5,-1.25]]}],'
        b'"usage":{"prompt_tokens":2,"total_tokens":3,"completion_tokens":1,"prompt_tokens_details":null,'
        b'"reasoning_tokens":0},"metadata":{"weight_version":"default"}}'
    ),
    "llama.cpp with log probabilities": (
        b'{"choices":[{"text":"Hi","index":0,"logprobs":{"content":[{"id":9707,"token":"Hi","bytes":[72,105],'
        b'"logprob":-0.5,"top_logprobs":[{"id":9707,"token":"Hi","bytes":[72,105],"logprob":-0.5}]}]},'
        b'"finish_reason":"length"}],"created":1,"model":"m","system_fingerprint":"b4391-9ba399df",'
        b'"object":"text_completion","usage":{"completion_tokens":1,"prompt_tokens":1,"total_tokens":2},"id":"c"}'
    ),
}
