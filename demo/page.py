"""The head of the page: the mark, one sentence, and the ways to the other pages."""

from demo import words

MARK = (
    '<svg viewBox="0 0 40 40" fill="none" stroke="currentColor" stroke-width="2.4" '
    'stroke-linecap="round" aria-hidden="true">'
    '<path d="M9 16c0-7 4.600-11.500 11-11.500S31 9 31 16v5c0 8-5 14.500-11 14.500S9 29 9 21z"/>'
    '<path d="M4.500 17.500C9 20.500 14.200 22 20 22s11-1.500 15.500-4.500" '
    'stroke-width="2.400"/>'
    '<path d="M9 23.500c3.300 2 7 3 11 3s7.700-1 11-3" opacity=".55"/>'
    '<path d="M11 29c2.700 1.400 5.700 2 9 2s6.300-.6 9-2" opacity=".3"/></svg>'
)


LEAD = f'<h1 class="fv-lead">{words.LEAD}</h1>'


def header(dashboard: bool) -> str:
    """Write the head.

    Args:
        dashboard: there is one to link to.
    """
    pages = '<nav aria-label="Pages"><a href="/dashboard/">Dashboard</a></nav>'
    return (
        f'<div class="fv-top"><span class="fv-mark">{MARK}{words.NAME}</span>'
        f"{pages if dashboard else ''}</div>"
    )
