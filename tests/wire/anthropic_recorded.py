"""Streams as real servers write them, written anew from public sources; what was said is ours.

- Padding with blanks before an event's last brace, `ping` behind the first start, cache counts in the usage: the raw
  streams quoted in the tests of clients (Vercel's `@ai-sdk/anthropic`, Go clients), and in notes of raw responses.
- `thinking` with `signature_delta`, `redacted_thinking`, server tools and their results, citations, compaction: the
  examples in Anthropic's documentation ("Streaming messages", "Extended thinking", "Citations", "Web search tool",
  "Code execution tool") and the types of its SDKs.
- No event names with blanks in the JSON, or stops without usage: servers that speak it besides their own protocol.
"""

# An event is a line, however long.
# ruff: noqa: E501

from __future__ import annotations

from tests.wire.anthropic_client import PING, sse

_USAGE = (
    '"usage":{"input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
    '"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,'
    '"service_tier":"standard","inference_geo":"not_available"}'
)


def _raw(*lines: str) -> bytes:
    """Events from their data; the name is the type."""
    events = []
    for line in lines:
        kind = line.split('"type"', 1)[1].split('"')[1]
        events.append(f"event: {kind}\ndata: {line}\n\n")
    return "".join(events).encode()


def _start(content: str = "[]") -> str:
    return (
        '{"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","id":"msg_01XFDUDYJgAACzvnptvVoYEL",'
        '"type":"message","role":"assistant","content":'
        + content
        + ',"stop_reason":null,"stop_sequence":null,'
        + _USAGE
        + "}   }"
    )


def _stop(reason: str = "end_turn") -> tuple[str, str]:
    return (
        '{"type":"message_delta","delta":{"stop_reason":"'
        + reason
        + '","stop_sequence":null},"usage":{"input_tokens":25,'
        + '"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":15}          }',
        '{"type":"message_stop"               }',
    )


PADDED = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}             }',
    '{"type": "ping"}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"The sky"}     }',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" is blue, mostly"}           }',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" because air scatters"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" short waves most."}  }',
    '{"type":"content_block_stop","index":0             }',
    *_stop(),
)

THINKING = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"27 is 3 * 9, "}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"so it is no prime."}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9G+/w=="}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"EmwKAhgBEgy3va3pzix/La4="}}',
    '{"type":"content_block_stop","index":1}',
    '{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}',
    '{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"No."}}',
    '{"type":"content_block_stop","index":2}',
    *_stop(),
)

TOOL = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I look it up:"}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_01T1x1fJ34qAmk2tNTrN7Up6","name":"get_weather","input":{}}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"location\\": \\"Os"}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"lo\\", \\"unit\\": \\"C\\"}"}     }',
    '{"type":"content_block_stop","index":1    }',
    *_stop("tool_use"),
)

SEARCH = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_014hJH82Qum7","name":"web_search","input":{},"caller":{"type":"direct"}}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"query\\": \\"weather Oslo\\"}"}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_014hJH82Qum7","content":[{"type":"web_search_result","title":"Weather in Oslo","url":"https://example.com/oslo","encrypted_content":"EqgfCioIARgBIiQ3YTAw+/aZ==","page_age":"2 hours ago"}]}}',
    '{"type":"content_block_stop","index":1}',
    '{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"","citations":[]}}',
    '{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"It rains in Oslo."}}',
    '{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","cited_text":"Rain all day.","url":"https://example.com/oslo","title":"Weather in Oslo","encrypted_index":"Eo8BCioIAhgBIiQy=="}}}',
    '{"type":"content_block_stop","index":2}',
    '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":90,"output_tokens":40,"server_tool_use":{"web_search_requests":1}}}',
    '{"type":"message_stop"}',
)

CODE = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_01A","name":"bash_code_execution","input":{}}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"command\\":\\"ls\\"}"}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"bash_code_execution_tool_result","tool_use_id":"srvtoolu_01A","content":{"type":"bash_code_execution_result","stdout":"a.txt\\n","stderr":"","return_code":0,"content":[{"type":"bash_code_execution_output","file_id":"file_011CNha8iCJcU1wXNR6q4V8w"}]}}}',
    '{"type":"content_block_stop","index":1}',
    '{"type":"content_block_start","index":2,"content_block":{"type":"text_editor_code_execution_tool_result","tool_use_id":"srvtoolu_01B","content":{"type":"text_editor_code_execution_str_replace_result","old_start":3,"old_lines":1,"new_start":3,"new_lines":1,"lines":["-  \\"debug\\": true","+  \\"debug\\": false"]}}}',
    '{"type":"content_block_stop","index":2}',
    '{"type":"content_block_start","index":3,"content_block":{"type":"container_upload","file_id":"file_011CNha8iCJcU1wXNR6q4V8w"}}',
    '{"type":"content_block_stop","index":3}',
    '{"type":"content_block_start","index":4,"content_block":{"type":"mcp_tool_use","id":"mcptoolu_014Q","name":"echo","server_name":"example-mcp","input":{}}}',
    '{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\\"text\\":\\"hi\\"}"}}',
    '{"type":"content_block_stop","index":4}',
    '{"type":"content_block_start","index":5,"content_block":{"type":"mcp_tool_result","tool_use_id":"mcptoolu_014Q","is_error":false,"content":[{"type":"text","text":"hi"}]}}',
    '{"type":"content_block_stop","index":5}',
    '{"type":"message_delta","delta":{"stop_reason":"pause_turn","stop_sequence":null,"container":{"id":"container_011CPR5C","expires_at":"2025-11-01T12:00:00Z"}},"usage":{"output_tokens":33}}',
    '{"type":"message_stop"}',
)

COMPACTION = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":null}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"So far: a plan of three steps."}}',
    '{"type":"content_block_stop","index":0}',
    *_stop("compaction"),
)

PREFILLED = _raw(
    _start(
        '[{"type":"tool_use","id":"toolu_01","name":"query","input":{"table":"sales"},'
        '"caller":{"type":"code_execution_20250825","tool_id":"srvtoolu_01A"}}]'
    ),
    *_stop("tool_use"),
)

REFUSED = _raw(
    _start(),
    '{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"bio","explanation":"This could do harm."}},"usage":{"output_tokens":2}}',
    '{"type":"message_stop"}',
)

PLAIN = b"".join(
    [
        b'data: {"type": "message_start", "message": {"id": "msg_x", "type": "message", "role": "assistant",'
        b' "content": [], "model": "llama", "usage": {"input_tokens": 3, "output_tokens": 0}}}\n\n',
        b'data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}\n\n',
        b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}\n\n',
        b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " there"}}\n\n',
        b'data: {"type": "content_block_stop", "index": 0}\n\n',
        b'data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}\n\n',
        b'data: {"type": "message_stop"}\n\n',
    ]
)

OVERLOADED = _raw(
    _start(),
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}',
)

RECORDED = {
    "padded": PADDED,
    "thinking": THINKING,
    "tool": TOOL,
    "web search": SEARCH,
    "code, files, MCP": CODE,
    "compaction": COMPACTION,
    "calls in the start": PREFILLED,
    "refused by the API": REFUSED,
    "without names": PLAIN,
    "overloaded": OVERLOADED,
    "pings": PADDED.replace(b"event: content_block_stop", PING * 2 + b"event: content_block_stop"),
    "an event of tomorrow": PADDED.replace(
        b"event: content_block_stop", sse({"type": "progress", "n": 1}) + b"event: content_block_stop"
    ),
}
