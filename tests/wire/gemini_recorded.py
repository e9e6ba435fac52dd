"""Answers in the shapes of real servers, written anew.

Sources: the API reference of the Gemini API (ai.google.dev/api/generate-content, GenerateContentResponse) and of Vertex
AI (cloud.google.com/vertex-ai, v1 GenerateContentResponse, "streamFunctionCallArguments"); the field names of
google-genai 3.6.1 (google/genai/types.py); the integration tests of google-gemini/gemini-cli.
"""

from __future__ import annotations

import json
from typing import Any

DEVELOPER_API: list[dict[str, Any]] = [
    # Counts and details change with every chunk; the last one has text, finish and counts.
    {
        "candidates": [{"content": {"parts": [{"text": "A rainbow"}], "role": "model"}, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 6,
            "candidatesTokenCount": 2,
            "totalTokenCount": 8,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "tTCwacuEBMvnitYP06qsgQY",
    },
    {
        "candidates": [{"content": {"parts": [{"text": " is light, bent by drops"}], "role": "model"}, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 6,
            "candidatesTokenCount": 8,
            "totalTokenCount": 14,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "tTCwacuEBMvnitYP06qsgQY",
    },
    {
        "candidates": [
            {"content": {"parts": [{"text": " of rain."}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 6,
            "candidatesTokenCount": 11,
            "totalTokenCount": 17,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "tTCwacuEBMvnitYP06qsgQY",
    },
]

THINKING_TOOL: list[dict[str, Any]] = [
    {
        "candidates": [
            {"content": {"parts": [{"text": "**Looking at the weather**\n\n", "thought": True}], "role": "model"}}
        ],
        "usageMetadata": {"promptTokenCount": 50, "totalTokenCount": 82, "thoughtsTokenCount": 32},
        "modelVersion": "gemini-3-pro-preview",
        "responseId": "xR3waZ",
    },
    {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {
                            "functionCall": {
                                "id": "call-7f",
                                "name": "get_weather",
                                "args": {"city": "Oslo", "days": 2},
                            },
                            "thoughtSignature": "CrsBAY89a18iOcFus5wr5bW5xN6zZ4aUiCyhgmg6HE2YjtYDV/dwZ5oZlZHeTg==",
                        },
                        {"functionCall": {"id": "call-80", "name": "get_weather", "args": {"city": "Rome", "days": 2}}},
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {"promptTokenCount": 50, "candidatesTokenCount": 30, "totalTokenCount": 112},
        "modelVersion": "gemini-3-pro-preview",
        "responseId": "xR3waZ",
    },
]

VERTEX: list[dict[str, Any]] = [
    {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello!"}]}}],
        "usageMetadata": {"trafficType": "ON_DEMAND"},
        "modelVersion": "gemini-2.5-flash",
        "createTime": "2026-03-10T14:54:45.066123Z",
        "responseId": "aB9_c-D",
    },
    {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "", "thoughtSignature": "AY89a18="}]},
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 1,
            "candidatesTokenCount": 9,
            "totalTokenCount": 10,
            "trafficType": "ON_DEMAND",
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
        },
        "modelVersion": "gemini-2.5-flash",
        "createTime": "2026-03-10T14:54:45.066123Z",
        "responseId": "aB9_c-D",
    },
]

CODE: list[dict[str, Any]] = [
    {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "I shall count.\n"},
                        {"executableCode": {"language": "PYTHON", "code": "print(sum(range(5)))\n"}},
                        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "10\n"}},
                        {"text": "It is 10."},
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 40, "totalTokenCount": 49},
    }
]

GROUNDED: list[dict[str, Any]] = [
    {"candidates": [{"content": {"parts": [{"text": "Oslo won."}], "role": "model"}, "index": 0}]},
    {
        "candidates": [
            {
                "content": {"parts": [{"text": " It rained."}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
                "groundingMetadata": {
                    "searchEntryPoint": {"renderedContent": '<div class="container">who won</div>'},
                    "groundingChunks": [{"web": {"uri": "https://example.com/a", "title": "example.com"}}],
                    "groundingSupports": [
                        {
                            "segment": {"startIndex": 0, "endIndex": 9, "text": "Oslo won."},
                            "groundingChunkIndices": [0],
                            "confidenceScores": [0.98],
                        }
                    ],
                    "webSearchQueries": ["who won the match"],
                },
                "citationMetadata": {
                    "citationSources": [{"startIndex": 0, "endIndex": 9, "uri": "https://example.com/a", "license": ""}]
                },
                "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}],
            }
        ],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 6, "totalTokenCount": 15},
    },
]

PARTIAL_ARGUMENTS: list[dict[str, Any]] = [
    {
        "candidates": [
            {"content": {"role": "model", "parts": [{"functionCall": {"name": "book", "willContinue": True}}]}}
        ]
    },
    {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {
                            "functionCall": {
                                "partialArgs": [{"jsonPath": "$.city", "stringValue": "Os", "willContinue": True}],
                                "willContinue": True,
                            }
                        }
                    ],
                }
            }
        ]
    },
    {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {
                            "functionCall": {
                                "partialArgs": [
                                    {"jsonPath": "$.city", "stringValue": "lo"},
                                    {"jsonPath": "$.nights", "numberValue": 2},
                                ],
                                "willContinue": True,
                            }
                        }
                    ],
                }
            }
        ]
    },
    {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {}}]}, "finishReason": "STOP"}]},
]

REFUSED_PROMPT: list[dict[str, Any]] = [
    {
        "promptFeedback": {
            "blockReason": "PROHIBITED_CONTENT",
            "safetyRatings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "HIGH", "blocked": True}],
        },
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
        "modelVersion": "gemini-2.5-flash",
    }
]

RECORDED = {
    "developer API": DEVELOPER_API,
    "thoughts and parallel calls": THINKING_TOOL,
    "Vertex": VERTEX,
    "code execution": CODE,
    "grounded": GROUNDED,
    "streamed arguments": PARTIAL_ARGUMENTS,
    "refused prompt": REFUSED_PROMPT,
}


def as_sse(chunks: list[dict[str, Any]]) -> list[bytes]:
    """As Google writes them: a blank behind colons, CRLF."""
    return [b"data: " + json.dumps(said, separators=(",", ": ")).encode() + b"\r\n\r\n" for said in chunks]


def as_pretty_array(chunks: list[dict[str, Any]]) -> bytes:
    """The same without `alt=sse`."""
    return b"[" + b"\n,\r\n".join(json.dumps(said, indent=2, ensure_ascii=False).encode() for said in chunks) + b"\n]\n"
