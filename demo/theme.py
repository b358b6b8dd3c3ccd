"""The look: one calm theme of our own, in light and dark, with the fonts that are there already."""

from pathlib import Path
from typing import Final

import gradio as gr
from gradio.themes.utils import sizes
from gradio.themes.utils.colors import Color

CSS: Final = Path(__file__).with_name("style.css")

_VEIL: Final = Color(
    "#f0fdfa", "#d5f5ef", "#a9e9dd", "#72d5c5", "#3db8a8", "#1f9c8d",
    "#127d72", "#0f645c", "#104f4a", "#11423e", "#052825", name="veil",
)  # fmt: skip
_INK: Final = Color(
    "#f8f9fa", "#f1f3f4", "#e3e7e9", "#ccd2d6", "#97a1a8", "#67727a",
    "#4a545c", "#38424a", "#232b31", "#171d22", "#0e1316", name="ink",
)  # fmt: skip


_COLOURS: Final[dict[str, str]] = {
    "body_background_fill": "*neutral_50",
    "body_background_fill_dark": "*neutral_950",
    "body_text_color": "*neutral_800",
    "body_text_color_dark": "*neutral_100",
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_400",
    "background_fill_primary": "white",
    "background_fill_primary_dark": "*neutral_900",
    "background_fill_secondary": "*neutral_50",
    "background_fill_secondary_dark": "*neutral_950",
    "border_color_primary": "*neutral_200",
    "border_color_primary_dark": "*neutral_800",
    "block_background_fill": "white",
    "block_background_fill_dark": "*neutral_900",
    "block_border_width": "1px",
    "block_border_color": "*neutral_200",
    "block_border_color_dark": "*neutral_800",
    "block_shadow": "none",
    "block_label_background_fill": "white",
    "block_label_background_fill_dark": "*neutral_900",
    "block_label_text_color": "*neutral_600",
    "block_label_text_color_dark": "*neutral_400",
    "block_title_text_color": "*neutral_700",
    "block_title_text_color_dark": "*neutral_300",
    "block_title_text_weight": "600",
    "input_border_width": "1px",
    "button_border_width": "1px",
    "button_primary_border_color": "*primary_600",
    "button_primary_border_color_dark": "*primary_600",
    "input_background_fill": "white",
    "input_background_fill_dark": "*neutral_950",
    "input_border_color": "*neutral_300",
    "input_border_color_dark": "*neutral_700",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_dark": "*primary_600",
    "button_primary_background_fill_hover_dark": "*primary_500",
    "button_primary_text_color": "white",
    "button_primary_text_color_dark": "white",
    "button_secondary_background_fill": "white",
    "button_secondary_background_fill_hover": "*neutral_100",
    "button_secondary_background_fill_dark": "*neutral_900",
    "button_secondary_background_fill_hover_dark": "*neutral_800",
    "button_secondary_border_color": "*neutral_300",
    "button_secondary_border_color_dark": "*neutral_700",
    "button_large_text_weight": "600",
    "checkbox_label_background_fill_selected": "*primary_50",
    "checkbox_label_background_fill_selected_dark": "*primary_950",
    "checkbox_label_border_color_selected": "*primary_500",
    "slider_color": "*primary_500",
    "link_text_color": "*primary_700",
    "link_text_color_dark": "*primary_300",
}


def theme() -> gr.themes.Base:
    """Build the theme."""
    look = gr.themes.Base(
        primary_hue=_VEIL,
        secondary_hue=_VEIL,
        neutral_hue=_INK,
        radius_size=sizes.radius_md,
        font=["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    )
    look.name = "faceveil"
    return look.set(**_COLOURS)
