"""Figures: rows of the database to plotly, a module for each thing shown; no Streamlit here."""
