"""The page: header, tabs, and what happens when somebody comes and goes."""

import logging
import threading
from pathlib import Path
from typing import Any

import gradio as gr

from demo import theme, tour, words
from demo.inputs import Page
from demo.page import LEAD, header
from demo.session import Visits, start_sweeping
from demo.tabs import compare, guided, how, protect_page, recover, wrong_keys_page

QUEUE = 32
UPLOAD = "10mb"
DASHBOARD = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"


def build(visits: Visits) -> gr.Blocks:
    """Lay the page out.

    Args:
        visits: where each open page keeps its pictures.
    """
    page: Page
    with Page(title=words.NAME, analytics_enabled=False, delete_cache=(60, 3600)) as page:
        gr.HTML(header(DASHBOARD.is_file()))
        with gr.Row(elem_classes="fv-head"):
            with gr.Column(scale=5, min_width=300):
                gr.HTML(LEAD)
            with gr.Column(scale=6, min_width=320):
                summary = gr.HTML('<div class="fv-summary"></div>', elem_id="summary")
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Protect", id="protect"):
                protect_page.build(visits)
            with gr.Tab("Recover", id="recover"):
                recover.build(visits)
            with gr.Tab("Wrong keys", id="wrong-keys") as tab:
                wrong_keys_page.build(visits, tab)
            with gr.Tab("Compare", id="compare"):
                compare.build(visits)
            with gr.Tab("Guided tour", id="tour") as tab:
                guided.build(tab)
            with gr.Tab("How it works", id="how"):
                how.build()

        def come(request: gr.Request) -> None:
            visits.of(request.session_hash).open_page = True

        def go(request: gr.Request) -> None:
            visits.close(request.session_hash)

        page.load(come, api_visibility="private", show_progress="hidden", queue=False)
        page.load(
            tour.summary, None, summary, api_visibility="private", show_progress="hidden",
            concurrency_id="tour",
        )  # fmt: skip
        page.unload(go)
    page.queue(max_size=QUEUE)
    return page


def launch(folder: Path, host: str, port: int, *, block: bool = True) -> gr.Blocks:
    """Start the one process: the demo at /, the dashboard at /dashboard/.

    Args:
        folder: private, from :func:`demo.session.private_folder`.
        host: address to listen on.
        port: to listen on, from :func:`demo.port.choose_port`.
        block: stay until the program is stopped.
    """
    visits = Visits(folder)
    page = build(visits)
    visits.waiting = lambda: sessions_at_work(page)
    start_sweeping(visits)
    threading.Thread(target=warm, name="warm", daemon=True).start()
    page.launch(
        server_name=host, server_port=port, ssr_mode=False, mcp_server=True, quiet=not block,
        max_file_size=UPLOAD, footer_links=["api"], run_history=False, theme=theme.theme(),
        css_paths=theme.CSS, app_kwargs={"routes": dashboard_routes()},
        prevent_thread_lock=not block, allowed_paths=[], enable_monitoring=False,
    )  # fmt: skip
    return page


def sessions_at_work(page: gr.Blocks) -> set[str]:
    """Whose jobs run, or wait in the queue."""
    queue = page._queue
    waiting = [
        event for lane in queue.event_queue_per_concurrency_id.values() for event in lane.queue
    ]
    running = [event for job in queue.active_jobs if job is not None for event in job]
    return {event.session_hash for event in (*waiting, *running)}


def dashboard_routes() -> list[Any]:
    """Mount the dashboard, where there is one."""
    if not DASHBOARD.is_file():
        return []
    import streamlit
    from starlette.requests import Request
    from starlette.responses import RedirectResponse
    from starlette.routing import Mount, Route

    # Streamlit turns on a log line for every request; addresses of pictures are nobody's business.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)

    async def to_dashboard(request: Request) -> RedirectResponse:
        return RedirectResponse("/dashboard/")

    return [
        Route("/dashboard", to_dashboard),
        Mount("/dashboard", streamlit.App(str(DASHBOARD))),
    ]


def warm() -> None:
    """Load detector and networks while people read, so that their first click is quick."""
    from demo import actions
    from demo.samples import sample
    from engine import RELEASED, load_model
    from engine.errors import EngineError

    try:
        tour.story()
        actions.look_at(sample("Astronaut"))
        for name in RELEASED:
            load_model(name)
    except EngineError as error:  # who needs it is told then; the rest works
        logging.getLogger("demo").error("%s; %s", error, error.hint)
