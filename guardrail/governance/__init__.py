"""The duties of a service towards people: limits, conduct, cases, labels, records, rights. One file each."""
