"""How good a model is: figures from labelled texts, and the reports that show them."""
