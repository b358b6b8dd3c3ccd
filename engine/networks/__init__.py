"""Torch modules and nothing else: no files, no colours, no keys, no masks."""
