"""Why here: ``python -m engine VERB`` runs :mod:`engine.cli`."""

from engine.cli import main

if __name__ == "__main__":
    main()
