"""OpenAI's API over the documents: what clients of it need to get cited answers unchanged.

A model is a knowledge base with a way to search it. Nothing is kept between requests but what bounds them.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from atoll.access.admit import Access, KbAccess
from atoll.domain.principal import Action
from atoll.errors import NotFound
from atoll.query.service import QueryOutcome
from gateway.auth import Authorized
from gateway.citing import page_address
from gateway.openai import chat, chores, models, responses
from gateway.openai.asking import Asked, AskedChat, AskedResponse, InChat, InResponses, patience, unless_gone
from gateway.openai.citations import Address
from gateway.openai.collecting import Shown, whole
from gateway.openai.embeddings import EmbeddingsIn, embedded
from gateway.openai.runs import Run, Runs
from gateway.openai.schemas import ChatIn
from gateway.runtime import Live, Runtime, kept
from gateway.sse import stream_response

router = APIRouter(prefix="/v1", tags=["openai"])

Reading = Annotated[Access, Depends(Authorized(Action.READ))]
InFlight = Annotated[Runs, Depends(kept(Runs))]

#: A stream begins when the evidence is there, or after so long; what fails before is answered with its own status.
_FIRST_BYTE_SECONDS = 1.0


@router.get("/models")
async def list_models(access: Reading, live: Live) -> models.ModelsOut:
    """List the models: each knowledge base that the key may read, and each mode of it."""
    allowed = access.principal.kbs
    modes = models.offered(live.ports)
    found = await live.ports.records.knowledge_bases.list(access.principal.tenant)
    readable = [kb for kb in found if allowed is None or kb.uid in allowed]
    return models.ModelsOut(data=[model for kb in readable for model in models.models_of(kb, modes)])


@router.get("/models/{model:path}")
async def get_model(model: str, access: Reading, live: Live, request: Request) -> models.OfferedModelOut:
    """Return a model."""
    kb, mode = models.parsed(model)
    admitted = live.admission.admit_to(
        kb, access.principal, Action.READ, request_id=request.state.request_id, counted=False
    )
    async with admitted as inside:
        if mode not in models.offered(live.ports):
            raise NotFound(f"this installation does not offer the mode {mode.value}; GET /v1/models lists what it does")
        known = await live.ports.records.knowledge_bases.get(inside.principal.tenant, kb)
        return models.model_out(model.removeprefix("atoll/"), known.created_at)


@router.post(
    "/chat/completions",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/event-stream": {"schema": {"type": "string"}}}}},
)
async def complete_chat(
    chatting: Annotated[AskedChat, Depends(InChat())], request: Request, live: Live, runs: InFlight
) -> dict[str, Any] | Response:
    """Answer the last question of a conversation from the documents, every sentence cited by marks like ``[1]``."""
    wanted, asked = chatting.wanted, chatting.asked
    if asked is None:
        form = chat.Form(wanted.model, str, request.state.request_id)
        return chat.ruled(chores.chore_answer(wanted), form)
    form = _form(wanted, asked.access, request, live)
    if not wanted.stream:
        return chat.completion(await _whole(asked, request, live, runs), form)
    run = await _begun(asked, request, runs)
    seconds = live.ports.limits.answer_seconds
    return stream_response(chat.chunks(run, Shown(asked.question), form, seconds=seconds))


@router.post(
    "/responses",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/event-stream": {"schema": {"type": "string"}}}}},
)
async def create_response(
    responding: Annotated[AskedResponse, Depends(InResponses())], request: Request, live: Live, runs: InFlight
) -> dict[str, Any] | Response:
    """Answer like `/v1/chat/completions`, in the form of the API of responses. Nothing is stored."""
    wanted, asked = responding.wanted, responding.asked
    form = responses.Form(
        model=wanted.model,
        address=address_of(asked.access, request, live),
        request_id=request.state.request_id,
        most_tokens=wanted.max_output_tokens,
    )
    if not wanted.stream:
        return responses.response(await _whole(asked, request, live, runs), form)
    run = await _begun(asked, request, runs)
    seconds = live.ports.limits.answer_seconds
    return stream_response(responses.events(run, Shown(asked.question), form, seconds=seconds))


@router.post("/embeddings")
async def embed_texts(access: Reading, wanted: EmbeddingsIn, live: Live) -> Response:
    """Return vectors of texts, as numbers or base64, from the model that documents are embedded with."""
    del access
    return Response(await embedded(wanted, live.ports.embedder), media_type="application/json")


@router.post("/completions", responses={404: {}})
async def complete_text(access: Reading) -> None:
    """Refuse: there is no completion of plain text, and the message says what to set in the client."""
    del access
    raise NotFound(
        "there is no /v1/completions here; use /v1/chat/completions (LlamaIndex OpenAILike: is_chat_model=True; "
        "Vercel AI SDK: provider.chatModel(id), not completionModel(id); LangChain: ChatOpenAI, not OpenAI)"
    )


async def _whole(asked: Asked, request: Request, live: Runtime, runs: Runs) -> QueryOutcome:
    run = await asked.lasting.enter_async_context(runs.answering(asked.question, asked.access.principal.subject))
    return await unless_gone(request, whole(run, asked.question, seconds=patience(request, live)))


async def _begun(asked: Asked, request: Request, runs: Runs) -> Run:
    """Return the run of a stream, once its evidence is there or it is time for the first byte."""
    run = await asked.lasting.enter_async_context(runs.answering(asked.question, asked.access.principal.subject))
    await unless_gone(request, run.event(0, _FIRST_BYTE_SECONDS))
    return run


def _form(wanted: ChatIn, access: KbAccess, request: Request, live: Runtime) -> chat.Form:
    options = wanted.stream_options
    return chat.Form(
        model=wanted.model,
        address=address_of(access, request, live),
        request_id=request.state.request_id,
        most_tokens=wanted.longest,
        with_usage=options is not None and bool(options.include_usage),
        with_annotations=_reads_annotations(request),
    )


def address_of(access: KbAccess, request: Request, live: Runtime) -> Address:
    """Return what gives the address of a cited page."""
    return partial(page_address, live, access, base=str(request.base_url))


def _reads_annotations(request: Request) -> bool:
    """Whether a stream's annotations go to an SDK, which says what it is.

    Open WebUI does not, and its page would ask a search engine on the internet for the icon of each address.
    """
    headers = request.headers
    if any(name.startswith("x-openwebui-") for name in headers):
        return False
    return "x-stainless-lang" in headers or "ai-sdk/" in headers.get("user-agent", "")
