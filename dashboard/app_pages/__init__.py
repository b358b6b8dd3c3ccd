"""One script for each page, run by app.py; a folder called pages Streamlit would run by itself."""
