"""`python -m guardrail`: the same as the `guardrail` command, for where scripts are not on the PATH."""

from guardrail.cli import main

main()
