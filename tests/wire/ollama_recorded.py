"""Streams in the shapes that Ollama servers send, written anew.

Sources: docs/api.md of ollama/ollama (chat, generate, tools, structured output, logprobs, loading a model), the types
of its API (api/types.go), and streams of gpt-oss:20b published with attogram/ollama-bash-lib (demos/): an empty first
line, then thinking with an empty `response`. Go writes `<`, `>` and `&` as escapes.
"""

from __future__ import annotations

HEAD = b'{"model":"llama3.2","created_at":"2025-08-15T22:55:08.%d'
DONE = (
    b'"done":true,"done_reason":"stop","total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,'
    b'"prompt_eval_duration":342546000,"eval_count":282,"eval_duration":4535599000}\n'
)


def _line(at: int, rest: bytes) -> bytes:
    return HEAD % (508208000 + at * 7777) + b'Z",' + rest


CHAT = (
    _line(0, b'"message":{"role":"assistant","content":"The"},"done":false}\n')
    + _line(1, b'"message":{"role":"assistant","content":" sky \\u003cis\\u003e"},"done":false}\n')
    + _line(2, b'"message":{"role":"assistant","content":" blue.\\n"},"done":false}\n')
    + _line(3, b'"message":{"role":"assistant","content":""},' + DONE)
)
THINKING = (
    _line(0, b'"message":{"role":"assistant","content":"","thinking":"The"},"done":false}\n')
    + _line(1, b'"message":{"role":"assistant","content":"","thinking":" user asks."},"done":false}\n')
    + _line(2, b'"message":{"role":"assistant","content":"Rayleigh"},"done":false}\n')
    + _line(3, b'"message":{"role":"assistant","content":" scattering."},"done":false}\n')
    + _line(4, b'"message":{"role":"assistant","content":""},' + DONE)
)
TOOLS = (
    _line(
        0,
        b'"message":{"role":"assistant","content":"","tool_calls":[{"id":"call_o5f7v2ka","function":{"index":0,'
        b'"name":"get_weather","arguments":{"city":"Tokyo","days":3}}}]},"done":false}\n',
    )
    + _line(
        1,
        b'"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"get_time","arguments":{}}},'
        b'{"function":{"name":"get_news","arguments":{"topics":["rain","wind"],"near":null}}}]},"done":false}\n',
    )
    + _line(2, b'"message":{"role":"assistant","content":""},' + DONE)
)
GENERATE = (
    _line(0, b'"response":"The","done":false}\n')
    + _line(1, b'"response":" sky","done":false}\n')
    + _line(2, b'"response":"","done":true,"done_reason":"length","context":[1,2,3],"total_duration":10706818083,')
    + b'"load_duration":6338219291,"prompt_eval_count":26,"prompt_eval_duration":130079000,"eval_count":259,'
    b'"eval_duration":4232710000}\n'
)
GENERATE_THINKING = (
    _line(0, b'"response":"","done":false}\n')
    + _line(1, b'"response":"","thinking":"Need","done":false}\n')
    + _line(2, b'"response":"","thinking":" to comply","done":false}\n')
    + _line(3, b'"response":"Soft","done":false}\n')
    + _line(4, b'"response":" ears.","done":false}\n')
    + _line(5, b'"response":"","done":true,"done_reason":"stop","context":[7,8],"eval_count":4}\n')
)
LOGPROBS = (
    _line(
        0,
        b'"message":{"role":"assistant","content":"Blue"},"done":false,"logprobs":[{"token":"Blue","logprob":-0.25,'
        b'"bytes":[66,108,117,101],"top_logprobs":[{"token":"Blue","logprob":-0.25,"bytes":[66,108,117,101]},'
        b'{"token":"Red","logprob":-1.5,"bytes":[82,101,100]}]}]}\n',
    )
    + _line(
        1, b'"message":{"role":"assistant","content":" sky"},"done":false,"logprobs":[{"token":" sky","logprob":0}]}\n'
    )
    + _line(2, b'"message":{"role":"assistant","content":""},' + DONE)
)
CLOUD = (
    b'{"model":"gpt-oss:120b-cloud","remote_model":"gpt-oss:120b","remote_host":"https://ollama.com:443",'
    b'"created_at":"2025-11-20T10:00:00.000000001Z","message":{"role":"assistant","content":"Hi"},"done":false}\n'
    b'{"model":"gpt-oss:120b-cloud","remote_model":"gpt-oss:120b","remote_host":"https://ollama.com:443",'
    b'"created_at":"2025-11-20T10:00:00.100000001Z","message":{"role":"assistant","content":" there."},"done":true,'
    b'"done_reason":"stop","eval_count":2}\n'
)
LOADED = (
    b'{"model":"llama3.2","created_at":"2024-09-12T21:17:29.110811Z","message":{"role":"assistant","content":""},'
    b'"done_reason":"load","done":true}\n'
)
UNLOADED = (
    b'{"model":"llama3.2","created_at":"2024-09-12T21:33:17.547535Z","response":"","done":true,'
    b'"done_reason":"unload"}\n'
)

STREAMS = {
    "chat": CHAT,
    "thinking": THINKING,
    "tools": TOOLS,
    "generate": GENERATE,
    "generate with thinking": GENERATE_THINKING,
    "log probabilities": LOGPROBS,
    "a model in the cloud": CLOUD,
    "a model is loaded": LOADED,
    "a model is unloaded": UNLOADED,
}

BODIES = {
    "chat": (
        b'{\n  "model": "llama3.2",\n  "created_at": "2023-12-12T14:13:43.416799Z",\n  "message": {"role": "assistant",'
        b' "content": "Hello! How are you today?", "thinking": "A greeting."},\n  "done": true,\n'
        b'  "done_reason": "stop",\n  "total_duration": 5191566416,\n  "load_duration": 2154458,\n'
        b'  "prompt_eval_count": 26,\n  "eval_count": 298\n}'
    ),
    "structured": (
        b'{"model":"llama3.1","created_at":"2024-12-06T00:48:09.983619Z","message":{"role":"assistant",'
        b'"content":"{\\"age\\": 22, \\"available\\": false}"},"done_reason":"stop","done":true,"eval_count":12}'
    ),
    "tools": (
        b'{"model":"llama3.2","created_at":"2024-07-22T20:33:28.123648Z","message":{"role":"assistant","content":"",'
        b'"tool_calls":[{"function":{"name":"get_current_weather","arguments":{"format":"celsius","location":"Paris"}}}]},'
        b'"done_reason":"stop","done":true,"total_duration":885095291,"eval_count":33}'
    ),
    "generate": (
        b'{"model":"llama3.2","created_at":"2023-08-04T19:22:45.499127Z","response":"The sky is blue.","done":true,'
        b'"context":[1,2,3],"total_duration":5043500667,"eval_count":290}'
    ),
    "log probabilities": (
        b'{"model":"m","created_at":"2025-11-20T10:00:00Z","response":"Hi.","done":true,"done_reason":"stop",'
        b'"logprobs":[{"token":"Hi","logprob":-0.1},{"token":".","logprob":-0.2}],"eval_count":2}'
    ),
}
