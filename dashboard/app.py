"""The dashboard's door: which pages there are, which database is open, and nothing else.

``streamlit run dashboard/app.py`` starts it alone; the demo mounts it at ``/dashboard/``.
"""

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent

# Streamlit puts this folder on the path, but the package is found from the one above.
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

PAGES = {
    "Results": [
        ("overview", "Overview"),
        ("paper_tables", "Paper tables"),
        ("explore", "Explore"),
        ("wrong_keys", "Wrong keys"),
        ("robustness", "Robustness and attacks"),
        ("cost", "Cost"),
    ],
    "Runs": [("training", "Training"), ("runs", "Runs")],
}


def main() -> None:
    """Choose page and database; a database that cannot be read gets its own page."""
    from dashboard import data, frame
    from engine.results import ResultsError

    st.set_page_config(
        "FaceVeil results", page_icon=str(HERE.parent / "assets" / "icon.png"), layout="wide",
        initial_sidebar_state=272,
    )  # fmt: skip
    pages = {
        group: [
            st.Page(HERE / "app_pages" / f"{name}.py", title=title, default=name == "overview")
            for name, title in entries
        ]
        for group, entries in PAGES.items()
    }
    page = st.navigation(pages)
    path = data.databases()[frame.choose_database()]
    try:
        source = data.open_source(path)
        st.session_state["opened"] = source
        frame.watch(source, lambda: data.open_source(path))
        page.run()
    except ResultsError as error:
        frame.broken(str(error), error.hint)


main()
