"""The browser demo: one process that shows protecting, recovering, and what wrong keys give."""
