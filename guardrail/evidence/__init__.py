"""What holds of a preset's duties: checks that ask a real proxy, and a report of them."""
