"""What someone without the key does to a protected picture, and what it gives; judges the rest."""
