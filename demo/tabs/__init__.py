"""One module for each tab: what stands on it, and which action answers which control."""
