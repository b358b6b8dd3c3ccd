"""The dashboard, run by Streamlit: what was measured, beside the papers; it loads no torch."""
