"""What an operator can see: metrics, records of responses, and the log. Never model text, unless a policy says so."""
