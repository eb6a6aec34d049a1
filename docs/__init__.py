"""The documentation: pages, and what makes pages out of the code."""
