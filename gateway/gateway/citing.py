"""Where a reader opens what an answer rests on: addresses of cited pages, for answers that leave through other fronts.

A browser can open each of them. With a public address they lead to the screen and hold for good; without one they are
signed links to the marked page's image, which hold for five minutes and need no key.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from atoll.access.admit import KbAccess
from atoll.domain.evidence import Evidence
from atoll.domain.ids import Subject, document_id
from gateway.auth import LINK, link_target
from gateway.runtime import Runtime


def signed(live: Runtime, path: str, parameters: Sequence[tuple[str, str]], subject: Subject) -> str:
    """Return path and query of a link that ``subject`` may pass on."""
    token = live.signer.link(link_target(path, QueryParams(list(parameters))), subject)
    return f"{path}?{urlencode([*parameters, (LINK, token)])}"


def page_address(live: Runtime, access: KbAccess, evidence: Evidence, *, base: str) -> str:
    """Return where the cited page is shown with its passage marked.

    Args:
        live: what the gateway keeps.
        access: whose answer it is.
        evidence: what is cited.
        base: where the caller reaches this gateway, like ``http://127.0.0.1:8000``.
    """
    mark = [] if evidence.passage_id is None else [("mark", str(evidence.passage_id))]
    document = document_id(evidence.document_id)
    if (public := live.ports.public_url) is not None:
        query = urlencode([*mark, ("name", evidence.document)])
        return f"{public.rstrip('/')}/kb/{access.kb_name}/doc/{document}/p/{evidence.page}?{query}"
    path = f"/v1/kbs/{access.kb_name}/documents/{document}/pages/{evidence.page}.png"
    return base.rstrip("/") + signed(live, path, mark, access.principal.subject)


def page_name(evidence: Evidence) -> str:
    """Return how a reader is told of a cited page: ``handbook.pdf, page 3``."""
    return f"{evidence.document}, page {evidence.page}"
