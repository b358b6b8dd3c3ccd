"""How the released networks were trained: batches, losses, one loop, one recipe per model."""
