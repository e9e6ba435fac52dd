"""The classifier: models that score what a stream says, and the machinery that asks them without delaying anybody."""

import os

# ONNX Runtime's wheels report sessions and the machine to their maker, from version 1.29 on also on Linux and macOS,
# unless this is set before it is imported. A guardrail that talks about its streams behind its operator's back is none.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
