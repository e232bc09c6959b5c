// Written by `npm run api` from gateway/openapi.json. Not to be edited.

/** What became of an upload. */
export type AcceptedOut = {
  "batch_id": string;
  "documents": Array<DocumentOut>;
  "duplicates": Array<DuplicateOut>;
  "namesakes": Array<NamesakeOut>;
};

/** Who is to write the answer; ``AUTO`` shows sentences of the documents until the model's answer is there. */
export type AnswerMode = "auto" | "generate" | "extract";

/** Who wrote the answer: sentences of the documents, a chat model, or nobody (a refusal). */
export type AnsweredBy = "extract" | "generate" | "none";

/** How an upload gets on; ``eta_seconds`` is null as long as nothing can be said. */
export type BatchOut = {
  "counts": {
  "cancelled"?: number;
  "failed"?: number;
  "processing"?: number;
  "quarantined"?: number;
  "queued"?: number;
  "ready"?: number;
};
  "documents": Array<DocumentOut>;
  "eta_seconds": number | null;
};

/** What a reader should know of a result. */
export type CautionOut = {
  "message": string;
  "type": string;
};

/** A conversation whose last question is to be answered. Sampling parameters and tools are accepted and not used. */
export type ChatIn = {
  "logprobs"?: boolean | null;
  "max_completion_tokens"?: number | null;
  "max_tokens"?: number | null;
  "messages": Array<MessageIn>;
  /** `atoll/<kb>[/<mode>]` */
  "model": string;
  "n"?: number | null;
  "parallel_tool_calls"?: boolean | null;
  "response_format"?: unknown;
  "seed"?: number | null;
  "stop"?: string | Array<string> | null;
  "stream"?: boolean | null;
  "stream_options"?: StreamOptionsIn | null;
  "temperature"?: number | null;
  "tool_choice"?: unknown;
  "tools"?: Array<unknown> | null;
  "top_p"?: number | null;
  "user"?: string | null;
};

/** A numbered piece of evidence. */
export type CitationOut = {
  "evidence": EvidenceOut;
  "n": number;
};

/** A spelling or a type, and how many passages have it. */
export type CountOut = {
  "passages": number;
  "value": string;
};

/** Something the gateway leans on. */
export type DependencyOut = {
  "error": string | null;
  "latency_ms": number;
  "needed": boolean;
  "ok": boolean;
};

/** A document. */
export type DocumentOut = {
  "bytes": number;
  "created_at": string;
  "entities": number;
  "error": ErrorOut | null;
  "id": string;
  "labels": Array<string>;
  "media_type": string;
  "metadata": Record<string, unknown>;
  "name": string;
  "pages": number;
  "passages": number;
  "read": ReadOut | null;
  "ready_at": string | null;
  "sha256": string;
  "source": string | null;
  "stages": Array<StageOut>;
  "status": Status;
  "version": number;
  "warnings": Array<WarningOut>;
};

/** What is to be otherwise about a document; what is left out stays. A source of null or "" is none. */
export type DocumentPatch = {
  "labels"?: Array<string>;
  "metadata"?: Record<string, unknown>;
  "name"?: string;
  "source"?: string | null;
};

/** A page of a listing; ``counts`` is over all documents that the caller sees and ``name`` matches.

So is ``older``, the number of those that an older pipeline read. */
export type DocumentsOut = {
  "counts": {
  "cancelled"?: number;
  "failed"?: number;
  "processing"?: number;
  "quarantined"?: number;
  "queued"?: number;
  "ready"?: number;
};
  "documents": Array<DocumentOut>;
  "next_cursor": string | null;
  "older": number;
};

/** An uploaded file that was there already, at the same source; ``applied`` is what the upload changed about it. */
export type DuplicateOut = {
  "applied": Array<string>;
  "document_id": string;
  "name": string;
};

/** Texts to embed. ``model`` may be anything: there is one embedding model, whose name the answer tells. */
export type EmbeddingsIn = {
  "dimensions"?: number | null;
  "encoding_format"?: "float" | "base64" | null;
  /** A text, or a list of texts. */
  "input": unknown;
  /** `query` for questions; models may treat them differently. */
  "input_type"?: InputType | null;
  "model": string;
  "user"?: string | null;
};

/** Entities, those of most passages first. */
export type EntitiesOut = {
  "entities": Array<EntityOut>;
  /** There are more. */
  "truncated": boolean;
};

/** Everything about one entity; lists hold the most frequent. */
export type EntityDetailOut = {
  "document_count": number;
  "documents": Array<MentioningOut>;
  "id": string;
  "name": string;
  "passages": number;
  "sample": Array<SampleOut>;
  "surfaces": Array<CountOut>;
  /** A list was cut, or there are more passages than the sample. */
  "truncated": boolean;
  "type": string;
  "types": Array<CountOut>;
};

/** An entity: its normalised name, the type of most of its mentions, and how many passages mention it. */
export type EntityOut = {
  "id": string;
  "name": string;
  "passages": number;
  "type": string;
};

/** An error as OpenAI's API tells it. */
export type ErrorObject = {
  "error": OpenAIErrorOut;
};

/** Why a document failed. */
export type ErrorOut = {
  "message": string;
  "page": number | null;
  "stage": Stage;
  "type": string;
};

/** Who did what to which object, with what result. */
export type EventOut = {
  "action": string;
  "actor": string;
  "at": string;
  "id": string;
  "object": string;
  "request_id": string;
  "result": string;
  "revision": number | null;
};

/** A page of the audit trail, oldest first. */
export type EventsOut = {
  "events": Array<EventOut>;
  "next_cursor": string | null;
};

/** The entity that a piece of evidence is about, as its passage writes it. */
export type EvidenceEntityOut = {
  "id": string;
  "name": string;
  "type": string;
};

/** What a piece of evidence is. */
export type EvidenceKind = "passage" | "page" | "entity" | "relation";

/** A ranked piece of a document; boxes are in page points, origin top left. */
export type EvidenceOut = {
  "also_in": Array<string>;
  "boxes": Array<[number, number, number, number]>;
  "created_at": string | null;
  "document": string;
  "document_id": string;
  "entity"?: EvidenceEntityOut | null;
  "kind": EvidenceKind;
  "page": number;
  /** None for a page without text. */
  "passage_id": string | null;
  "path": Array<StepOut> | null;
  "rank": number;
  "relation"?: EvidenceRelationOut | null;
  "score": number;
  "signals": Record<string, SignalOut>;
  "source": string | null;
  "text": string;
  /** None for a page whose document shows no text here, like `created_at`. */
  "version": number | null;
};

/** What a passage says about two entities; without ``id`` they only stand together in a sentence. */
export type EvidenceRelationOut = {
  "head": string;
  "id": string | null;
  "keywords": Array<string>;
  "tail": string;
  "weight": number;
};

/** How the graph is written down. */
export type ExportFormat = "graphml" | "jsonl";

/** What a search is narrowed to. */
export type FiltersIn = {
  "created_after"?: string | null;
  "created_before"?: string | null;
  "document_ids"?: Array<string> | null;
  "labels"?: Array<string> | null;
  "media_types"?: Array<string> | null;
  /** A value, a list of values of which one is enough, or bounds. A document's list is found by each of its members; bounds compare single values only. */
  "metadata"?: Record<string, Range | Array<boolean | number | string> | boolean | number | string> | null;
  /** Glob patterns, of at most 8 stars each. */
  "names"?: Array<string> | null;
  "sources"?: Array<string> | null;
};

/** How much the caller sees of the graph. */
export type GraphStatsOut = {
  "documents": number;
  "entities": number;
  "mentions": number;
  "passages": number;
  "relations": number;
  /** Moves with whatever is published or deleted in the knowledge base; null for a key that is limited to some labels, which is told nothing of documents that it does not see. */
  "revision": number | null;
};

/** What to look for on a page. */
export type HeatmapIn = {
  "query": string;
};

/** What a text is to the search. Models may prefix the two differently. */
export type InputType = "query" | "document";

/** A turn of the conversation, or something else that is named by its type and left out. */
export type ItemIn = {
  "content"?: string | Array<PartIn> | null;
  "role"?: string | null;
  "type"?: string | null;
};

/** What is to change; null leaves as it is. */
export type KbChange = {
  "quota"?: Quota | null;
  "settings"?: Record<string, unknown> | null;
};

/** A new knowledge base; the language decides stemming and named entities and is fixed from then on. */
export type KbIn = {
  /** ISO 639; `und` for none in particular. */
  "language"?: string;
  "name": string;
  "quota"?: Quota;
  "settings"?: Record<string, unknown>;
};

/** A knowledge base. Counts cover what the caller sees; null where a key with labels cannot be told. */
export type KbOut = {
  "bytes": number | null;
  "created_at": string;
  "documents": number;
  "id": string;
  "language": string;
  "name": string;
  "passages": number | null;
  "quota": Record<string, number>;
  /** Moves with whatever is published or deleted in the knowledge base; null for a key that is limited to some labels, which is told nothing of documents that it does not see. */
  "revision": number | null;
  "settings": Record<string, unknown>;
};

/** What a knowledge base holds, and how many queries it was asked. */
export type KbUsageOut = {
  "bytes": number;
  "documents": number;
  "name": string;
  "passages": number;
  "queries": number;
};

/** The knowledge bases that the caller's key names. */
export type KbsOut = {
  "kbs": Array<KbOut>;
  "next_cursor"?: string | null;
};

/** What other documents share with a deleted one. */
export type KeptOut = {
  "entities": number;
};

/** What is to change of a key; what is left out stays, and an ``expires_at`` of null means never. */
export type KeyChange = {
  "expires_at"?: string | null;
  "kbs"?: Array<string> | "*" | null;
  "labels"?: Array<string> | "*" | null;
  "name"?: string | null;
  "role"?: Role | null;
};

/** A new key; ``"*"`` means all, now and later. */
export type KeyIn = {
  "expires_at"?: string | null;
  "kbs"?: Array<string> | "*";
  "labels"?: Array<string> | "*";
  "name": string;
  "role": Role;
};

/** A key without its secret. A knowledge base that was deleted is no longer among ``kbs``. */
export type KeyOut = {
  "created_at": string;
  "expires_at": string | null;
  "id": string;
  "kbs": Array<string> | "*";
  "labels": Array<string> | "*";
  "last_used_at": string | null;
  "name": string;
  "revoked_at": string | null;
  "role": Role;
};

/** The keys that the caller's key could have made, oldest first. */
export type KeysOut = {
  "keys": Array<KeyOut>;
  "next_cursor"?: string | null;
};

/** A type of entities, and how many there are. */
export type LabelOut = {
  "entities": number;
  "type": string;
};

/** The types of entities, the most frequent first. */
export type LabelsOut = {
  "labels": Array<LabelOut>;
  "truncated": boolean;
};

/** What a signed link is for: a page's image, or, without ``page``, the file. */
export type LinkIn = {
  "dpi"?: number | null;
  "mark"?: Array<string>;
  "page"?: number | null;
};

/** Two entities that passages mention together; the order of the two means nothing. */
export type LinkOut = {
  "head": string;
  "passages": number;
  "tail": string;
};

/** The process answers. */
export type LiveOut = {
  "status"?: "ok";
};

/** A document that mentions an entity, and in how many passages. */
export type MentioningOut = {
  "id": string;
  "name": string;
  "passages": number;
};

/** A turn of the conversation. */
export type MessageIn = {
  "content"?: string | Array<PartIn> | null;
  "role": "system" | "developer" | "user" | "assistant" | "tool" | "function";
};

/** Which signals a search uses. */
export type Mode = "naive" | "local" | "global" | "hybrid" | "visual" | "mix" | "bypass";

/** A model; its name is null while its server does not answer. */
export type ModelOut = {
  "name": string | null;
  "role": string;
};

/** All models that the key may use. */
export type ModelsOut = {
  "data": Array<OfferedModelOut>;
  "object"?: string;
};

/** A document that has the name of an uploaded file and another source: it was neither replaced nor changed. */
export type NamesakeOut = {
  "document_id": string;
  "name": string;
  "source": string | null;
};

/** An entity near another one, and how many steps away. */
export type NeighbourOut = {
  "hops": number;
  "id": string;
  "name": string;
  "passages": number;
  "type": string;
};

/** An entity, the entities around it, and what joins them, strongest first. */
export type NeighbourhoodOut = {
  "entities": Array<NeighbourOut>;
  "entity": EntityOut;
  "links": Array<LinkOut>;
  "relations": Array<RelationOut>;
  /** Something was left out; a higher limit may show it. */
  "truncated": boolean;
};

/** A new key: the only answer that ever shows its secret. */
export type NewKeyOut = {
  "created_at": string;
  "expires_at": string | null;
  "id": string;
  "kbs": Array<string> | "*";
  "labels": Array<string> | "*";
  "last_used_at": string | null;
  "name": string;
  "revoked_at": string | null;
  "role": Role;
  "secret": string;
};

/** A new tenant: the only answer that ever shows its first owner key. */
export type NewTenantOut = {
  "created_at": string;
  "id": string;
  "name": string;
  "owner_key": string;
  "quota": Record<string, number>;
  "status": "active" | "suspended";
  "suspended_at": string | null;
};

/** A model. */
export type OfferedModelOut = {
  "created": number;
  "id": string;
  "object"?: string;
  "owned_by"?: string;
};

/** What went wrong: words for people, and for programs the field that is meant and a name. */
export type OpenAIErrorOut = {
  "code": string | null;
  "message": string;
  "param": string | null;
  "type": string;
};

/** A page: its size in points and its passages; ``label`` is what the document calls it, if not by its number. */
export type PageOut = {
  "height": number;
  "label": string | null;
  "page": number;
  "passages": Array<PlacedPassage>;
  "width": number;
};

/** A part of a message: text, or something else that is named by its type. */
export type PartIn = {
  "text"?: string | null;
  "type": string;
};

/** A passage; character positions count in the document's text. */
export type PassageOut = {
  "boxes": Array<[number, number, number, number]>;
  "char_end": number;
  "char_start": number;
  "chunk_id": string;
  "headings": Array<string>;
  "id": string;
  "ordinal": number;
  "page": number;
  "text": string;
};

/** A page of a document's passages, in order. */
export type PassagesOut = {
  "next_cursor": string | null;
  "passages": Array<PassageOut>;
};

/** Where a sentence stands in one of its citations. */
export type PlaceOut = {
  "boxes": Array<[number, number, number, number]>;
  "n": number;
  "page": number;
  /** Its first and last character in the passage's text. */
  "span": [number, number];
};

/** Where on a page a passage stands: boxes in points, origin top left. */
export type PlacedPassage = {
  "boxes": Array<[number, number, number, number]>;
  "id": string;
};

/** What went wrong, and what to do about it. */
export type Problem = {
  "detail": string;
  "request_id": string;
  "status": number;
  "title": string;
  "type": string;
};

/** A process that the gateway leans on, as it answers now. */
export type ProcessOut = {
  "error": string | null;
  "latency_ms": number;
  "needed": boolean;
  "ok": boolean;
  "role": string;
};

/** A question. */
export type QueryIn = {
  "answer"?: AnswerMode;
  /** Tell each result's rank and score in each list, and its path. */
  "explain"?: boolean;
  "filters"?: FiltersIn | null;
  "history"?: Array<TurnIn>;
  "mode"?: Mode;
  "query": string;
  "stream"?: boolean;
  "top_k"?: number;
};

/** An answer: each sentence with its citations, and the evidence. */
export type QueryOut = {
  "answer": string;
  "answered_by": AnsweredBy;
  "citations": Array<CitationOut>;
  "evidence": Array<EvidenceOut>;
  "refusal": RefusalOut | null;
  /** Moves with whatever is published or deleted in the knowledge base; null for a key that is limited to some labels, which is told nothing of documents that it does not see. */
  "revision": number | null;
  "sentences": Array<SentenceOut>;
  "timings_ms": Record<string, number>;
  /** The question as it was searched. */
  "understood": string;
  "usage": Record<string, unknown>;
  /** What the reader should know, for instance a reranker that is away. */
  "warnings": Array<CautionOut>;
};

/** Documents by status: for an admin of the installation, for an owner those that the key sees.

``rings`` are calls that no worker has answered yet; only admins are told, since they are of all tenants. */
export type QueueOut = {
  "documents": {
  "cancelled"?: number;
  "failed"?: number;
  "processing"?: number;
  "quarantined"?: number;
  "queued"?: number;
  "ready"?: number;
};
  "rings": number | null;
};

/** What a knowledge base or a tenant may hold and ask; a limit that is not named is none. Days are those of UTC. */
export type Quota = {
  "bytes"?: number | null;
  "documents"?: number | null;
  "queries_per_day"?: number | null;
};

/** Bounds of a metadata value, both included. */
export type Range = {
  "gte"?: boolean | number | string | null;
  "lte"?: boolean | number | string | null;
};

/** How a document was read; ``older`` says that the pipeline of today would read it in another way. */
export type ReadOut = {
  "encoding": string | null;
  "language": string;
  "older": boolean;
  "parser": string;
  "pipeline": number;
  "why": string;
};

/** Whether requests can be served; ``dependencies`` is null for callers who may not see it. */
export type ReadyOut = {
  "dependencies": Record<string, DependencyOut> | null;
  "status": "ready" | "not ready";
};

/** What a deletion removes, or would remove. */
export type ReceiptOut = {
  "document_id": string;
  "dry_run": boolean;
  "kept": KeptOut;
  "removed": RemovedOut;
};

/** Why nothing was answered. */
export type RefusalOut = {
  /** How near the nearest evidence came to an answer, 0 to 1. */
  "best_score": number;
  "message": string;
  /** Parts of the question that were not found together, as they were asked. */
  "missing": Array<string>;
  "reason": RefusalReason;
};

/** Why a question is not answered. */
export type RefusalReason = "not_found" | "language" | "nothing_indexed";

/** What a passage states about two entities. */
export type RelationOut = {
  "description": string;
  "head": string;
  "keywords": Array<string>;
  "passage_id": string;
  "tail": string;
  "weight": number;
};

/** What goes with a document. Entities are those that nothing else mentions; bytes are those of the original. */
export type RemovedOut = {
  "assertions": number;
  "bytes": number;
  "chunks": number;
  "entities": number;
  "mentions": number;
  "pages": number;
  "passages": number;
  "vectors": number;
};

/** What to read again: everything, or only from a stage on; ``password`` opens an encrypted file once more. */
export type ReprocessIn = {
  "from"?: "parse" | "chunk" | "extract" | "embed" | "store";
  "password"?: string;
};

/** A conversation in the form of the API of responses. Nothing of it is kept, whatever ``store`` says. */
export type ResponsesIn = {
  "background"?: boolean | null;
  "conversation"?: unknown;
  "input": string | Array<ItemIn>;
  "instructions"?: string | Array<unknown> | null;
  "max_output_tokens"?: number | null;
  /** `atoll/<kb>[/<mode>]` */
  "model": string;
  "parallel_tool_calls"?: boolean | null;
  /** Refused: there is no earlier response to go on from. */
  "previous_response_id"?: string | null;
  /** Accepted and not heeded: nothing is stored. */
  "store"?: boolean | null;
  "stream"?: boolean | null;
  "temperature"?: number | null;
  "text"?: TextFormatIn | null;
  "tool_choice"?: unknown;
  "tools"?: Array<unknown> | null;
  "top_p"?: number | null;
  "user"?: string | null;
};

/** What a key may do; ``ADMIN`` manages tenants and reads no document. */
export type Role = "owner" | "editor" | "reader" | "auditor" | "admin";

/** A passage that mentions an entity. */
export type SampleOut = {
  "document": string;
  "document_id": string;
  "id": string;
  "page": number;
  "text": string;
};

/** A search; ``top_k`` is the number of results. */
export type SearchIn = {
  /** Tell each result's rank and score in each list, and its path. */
  "explain"?: boolean;
  "filters"?: FiltersIn | null;
  "mode"?: Mode;
  "query": string;
  "top_k"?: number;
};

/** Ranked evidence, best first. */
export type SearchOut = {
  "evidence": Array<EvidenceOut>;
  "keywords": Array<string>;
  /** Moves with whatever is published or deleted in the knowledge base; null for a key that is limited to some labels, which is told nothing of documents that it does not see. */
  "revision": number | null;
  "timings_ms": Record<string, number>;
  /** What the reader should know, for instance a reranker that is away. */
  "warnings": Array<CautionOut>;
};

/** A sentence of an answer with the numbers of its citations and its own places. */
export type SentenceOut = {
  "citations": Array<number>;
  "places": Array<PlaceOut>;
  "supported": boolean;
  "table": TableOut | null;
  "text": string;
};

/** What to log in with: a key, or the token of a link that signs in once. */
export type SessionIn = {
  "key"?: string | null;
  "link"?: string | null;
};

/** Who is logged in, and until when. */
export type SessionOut = {
  "expires_at": string;
  "kbs": Array<string> | string;
  "key_id": string;
  "labels": Array<string> | string;
  "name": string;
  "role": Role;
  "tenant": string;
};

/** What signs a browser in once: `POST /v1/session {link}`, or the address `/link#<link>` of the screen. */
export type SignInLinkOut = {
  "expires_at": string;
  "link": string;
};

/** Rank (from 1) and raw score in one list; null for a key that is limited to some labels. */
export type SignalOut = {
  "rank": number;
  "score": number | null;
};

/** A link that needs no key, relative to this server, and until when it holds. */
export type SignedLinkOut = {
  "expires_at": string;
  "url": string;
};

/** Something that is in no passage, with the reason as its type; what has no place has no page and no boxes. */
export type SkippedItem = {
  "boxes": Array<[number, number, number, number]>;
  "page": number | null;
  "text": string;
  "type": string;
};

/** What of a document is in no passage, by page. */
export type SkippedOut = {
  "items": Array<SkippedItem>;
  "total": number;
};

/** One step of a document's journey. */
export type Stage = "parse" | "chunk" | "extract" | "embed" | "store" | "index" | "publish" | "relabel" | "purge";

/** One step of a document's journey. */
export type StageOut = {
  "attempts": number;
  "done": number;
  "error": string | null;
  "name": Stage;
  "seconds": number;
  "state": StageState;
  "total": number;
};

/** Where a stage stands. */
export type StageState = "waiting" | "running" | "done" | "failed";

/** Where a document stands, as the API tells it. */
export type Status = "queued" | "processing" | "ready" | "failed" | "quarantined" | "cancelled";

/** One step on the way through the graph to a piece of evidence. */
export type StepOut = {
  "entity": string;
  "passage_id": string;
};

/** What a stream is to tell beside its text. */
export type StreamOptionsIn = {
  "include_usage"?: boolean | null;
};

/** The installation as this gateway knows it. */
export type SystemOut = {
  "models": Array<ModelOut>;
  "processes": Array<ProcessOut>;
  "queue": QueueOut;
  "versions": VersionsOut;
};

/** The table's row that a sentence is taken from. */
export type TableOut = {
  "header": Array<string>;
  "row": Array<string>;
};

/** The quota that a tenant is to have; a limit that is not named is none. */
export type TenantChange = {
  "quota": Quota;
};

/** A tenant with what it uses. */
export type TenantDetailOut = {
  "created_at": string;
  "id": string;
  "name": string;
  "quota": Record<string, number>;
  "status": "active" | "suspended";
  "suspended_at": string | null;
  "usage": TenantUsage;
};

/** A new tenant. */
export type TenantIn = {
  "name": string;
  "quota"?: Quota;
};

/** A tenant; while it is suspended, none of its keys is let in. */
export type TenantOut = {
  "created_at": string;
  "id": string;
  "name": string;
  "quota": Record<string, number>;
  "status": "active" | "suspended";
  "suspended_at": string | null;
};

/** What a tenant holds in all its knowledge bases, and how many queries they were asked today. */
export type TenantUsage = {
  "bytes": number;
  "documents": number;
  "queries": number;
};

/** Tenants by name. */
export type TenantsOut = {
  "next_cursor"?: string | null;
  "tenants": Array<TenantOut>;
};

/** The form of the answer. */
export type TextFormatIn = {
  "format"?: unknown;
};

/** A text to be taken as a document; what is left out stays as it is in one that is there already.

The folder part of its name lies below ``source``. */
export type TextIn = {
  "labels"?: Array<string> | null;
  "metadata"?: Record<string, unknown> | null;
  "name": string;
  "source"?: string | null;
  "text": string;
};

/** One turn of the conversation so far. */
export type TurnIn = {
  "content": string;
  "role": "user" | "assistant";
};

/** What a tenant holds and asks, by knowledge base. */
export type UsageOut = {
  "kbs": Array<KbUsageOut>;
  "tenant": string;
};

/** What the trail was found to be: whether what seals cover is still what was written.

``seal`` is the newest, to be noted elsewhere: whoever can take events out of the record store can take the newest
seals out, too. ``is_known`` says whether a seal that was noted is among the trail's own. */
export type VerificationOut = {
  "broken_seal": number | null;
  "events": number;
  "is_intact": boolean;
  "is_known": boolean | null;
  "seal": string | null;
  "sealed": number;
};

/** What runs here. ``pipeline`` numbers how documents are read: those with a lower number can be read again. */
export type VersionsOut = {
  "api": string;
  "atoll": string;
  "pipeline": number;
  "python": string;
};

/** Something to know about a document that could be read. */
export type WarningOut = {
  "message": string;
  "page": number | null;
  "type": string;
};

export interface Operations {
  live: { path: {  }; query: {  }; body: never; answer: LiveOut };
  ready: { path: {  }; query: {  }; body: never; answer: ReadyOut };
  metrics: { path: {  }; query: {  }; body: never; answer: void };
  list_events: { path: {  }; query: { since?: string | null; action?: string | null; actor?: string | null; limit?: number; cursor?: string | null }; body: never; answer: EventsOut };
  verify_events: { path: {  }; query: { seal?: string | null }; body: never; answer: VerificationOut };
  complete_chat: { path: {  }; query: {  }; body: ChatIn; answer: unknown };
  complete_text: { path: {  }; query: {  }; body: never; answer: unknown };
  embed_texts: { path: {  }; query: {  }; body: EmbeddingsIn; answer: unknown };
  list_kbs: { path: {  }; query: { limit?: number; cursor?: string | null }; body: never; answer: KbsOut };
  create_kb: { path: {  }; query: {  }; body: KbIn; answer: KbOut };
  delete_kb: { path: { kb: string | number }; query: {  }; body: never; answer: void };
  get_kb: { path: { kb: string | number }; query: {  }; body: never; answer: KbOut };
  change_kb: { path: { kb: string | number }; query: {  }; body: KbChange; answer: KbOut };
  get_batch: { path: { batch: string | number; kb: string | number }; query: {  }; body: never; answer: BatchOut };
  list_documents: { path: { kb: string | number }; query: { status?: Status | null; name?: string | null; read_by?: "older" | null; warning?: string | null; source?: string | null; label?: string | null; limit?: number; cursor?: string | null }; body: never; answer: DocumentsOut };
  upload_documents: { path: { kb: string | number }; query: {  }; body: {
  "documents": Array<TextIn>;
  "replace"?: boolean;
}; answer: AcceptedOut };
  delete_document: { path: { document: string | number; kb: string | number }; query: { dry_run?: boolean }; body: never; answer: ReceiptOut };
  get_document: { path: { document: string | number; kb: string | number }; query: {  }; body: never; answer: DocumentOut };
  amend_document: { path: { document: string | number; kb: string | number }; query: {  }; body: DocumentPatch; answer: DocumentOut };
  cancel_document: { path: { document: string | number; kb: string | number }; query: {  }; body: never; answer: DocumentOut };
  download_document: { path: { document: string | number; kb: string | number }; query: { pages?: boolean }; body: never; answer: void };
  link_document: { path: { document: string | number; kb: string | number }; query: {  }; body: LinkIn; answer: SignedLinkOut };
  get_page: { path: { document: string | number; page: string | number; kb: string | number }; query: {  }; body: never; answer: PageOut };
  draw_page: { path: { document: string | number; page: string | number; kb: string | number }; query: { mark?: Array<string> | null; dpi?: 96 | 150 }; body: never; answer: void };
  draw_heatmap: { path: { document: string | number; page: string | number; kb: string | number }; query: {  }; body: HeatmapIn; answer: void };
  list_passages: { path: { document: string | number; kb: string | number }; query: { limit?: number; cursor?: string | null }; body: never; answer: PassagesOut };
  reprocess_document: { path: { document: string | number; kb: string | number }; query: {  }; body: ReprocessIn | null; answer: DocumentOut };
  retry_document: { path: { document: string | number; kb: string | number }; query: {  }; body: never; answer: DocumentOut };
  list_skipped: { path: { document: string | number; kb: string | number }; query: { limit?: number }; body: never; answer: SkippedOut };
  watch_documents: { path: { kb: string | number }; query: {  }; body: never; answer: void };
  list_entities: { path: { kb: string | number }; query: { q?: string | null; type?: string | null; limit?: number }; body: never; answer: EntitiesOut };
  get_entity: { path: { entity: string | number; kb: string | number }; query: {  }; body: never; answer: EntityDetailOut };
  get_neighbourhood: { path: { entity: string | number; kb: string | number }; query: { hops?: number; limit?: number }; body: never; answer: NeighbourhoodOut };
  export_graph: { path: { kb: string | number }; query: { format?: ExportFormat }; body: never; answer: void };
  list_labels: { path: { kb: string | number }; query: {  }; body: never; answer: LabelsOut };
  get_stats: { path: { kb: string | number }; query: {  }; body: never; answer: GraphStatsOut };
  query: { path: { kb: string | number }; query: {  }; body: QueryIn; answer: QueryOut };
  search: { path: { kb: string | number }; query: {  }; body: SearchIn; answer: SearchOut };
  list_keys: { path: {  }; query: { limit?: number; cursor?: string | null }; body: never; answer: KeysOut };
  create_key: { path: {  }; query: {  }; body: KeyIn; answer: NewKeyOut };
  revoke_key: { path: { key: string | number }; query: {  }; body: never; answer: KeyOut };
  get_key: { path: { key: string | number }; query: {  }; body: never; answer: KeyOut };
  change_key: { path: { key: string | number }; query: {  }; body: KeyChange; answer: KeyOut };
  list_models: { path: {  }; query: {  }; body: never; answer: ModelsOut };
  get_model: { path: { model: string | number }; query: {  }; body: never; answer: OfferedModelOut };
  create_response: { path: {  }; query: {  }; body: ResponsesIn; answer: unknown };
  close_session: { path: {  }; query: {  }; body: never; answer: void };
  get_session: { path: {  }; query: {  }; body: never; answer: SessionOut };
  open_session: { path: {  }; query: {  }; body: SessionIn; answer: SessionOut };
  link_session: { path: {  }; query: {  }; body: never; answer: SignInLinkOut };
  get_system: { path: {  }; query: {  }; body: never; answer: SystemOut };
  list_tenants: { path: {  }; query: { limit?: number; cursor?: string | null }; body: never; answer: TenantsOut };
  create_tenant: { path: {  }; query: {  }; body: TenantIn; answer: NewTenantOut };
  get_tenant: { path: { tenant: string | number }; query: {  }; body: never; answer: TenantDetailOut };
  change_tenant: { path: { tenant: string | number }; query: {  }; body: TenantChange; answer: TenantOut };
  resume_tenant: { path: { tenant: string | number }; query: {  }; body: never; answer: TenantOut };
  suspend_tenant: { path: { tenant: string | number }; query: {  }; body: never; answer: TenantOut };
  get_usage: { path: {  }; query: { days?: number }; body: never; answer: UsageOut };
}

export const PLACES = {
  live: ["GET", "/health/live"],
  ready: ["GET", "/health/ready"],
  metrics: ["GET", "/metrics"],
  list_events: ["GET", "/v1/audit"],
  verify_events: ["GET", "/v1/audit/verify"],
  complete_chat: ["POST", "/v1/chat/completions"],
  complete_text: ["POST", "/v1/completions"],
  embed_texts: ["POST", "/v1/embeddings"],
  list_kbs: ["GET", "/v1/kbs"],
  create_kb: ["POST", "/v1/kbs"],
  delete_kb: ["DELETE", "/v1/kbs/{kb}"],
  get_kb: ["GET", "/v1/kbs/{kb}"],
  change_kb: ["PATCH", "/v1/kbs/{kb}"],
  get_batch: ["GET", "/v1/kbs/{kb}/batches/{batch}"],
  list_documents: ["GET", "/v1/kbs/{kb}/documents"],
  upload_documents: ["POST", "/v1/kbs/{kb}/documents"],
  delete_document: ["DELETE", "/v1/kbs/{kb}/documents/{document}"],
  get_document: ["GET", "/v1/kbs/{kb}/documents/{document}"],
  amend_document: ["PATCH", "/v1/kbs/{kb}/documents/{document}"],
  cancel_document: ["POST", "/v1/kbs/{kb}/documents/{document}/cancel"],
  download_document: ["GET", "/v1/kbs/{kb}/documents/{document}/file"],
  link_document: ["POST", "/v1/kbs/{kb}/documents/{document}/links"],
  get_page: ["GET", "/v1/kbs/{kb}/documents/{document}/pages/{page}"],
  draw_page: ["GET", "/v1/kbs/{kb}/documents/{document}/pages/{page}.png"],
  draw_heatmap: ["POST", "/v1/kbs/{kb}/documents/{document}/pages/{page}/heatmap"],
  list_passages: ["GET", "/v1/kbs/{kb}/documents/{document}/passages"],
  reprocess_document: ["POST", "/v1/kbs/{kb}/documents/{document}/reprocess"],
  retry_document: ["POST", "/v1/kbs/{kb}/documents/{document}/retry"],
  list_skipped: ["GET", "/v1/kbs/{kb}/documents/{document}/skipped"],
  watch_documents: ["GET", "/v1/kbs/{kb}/events"],
  list_entities: ["GET", "/v1/kbs/{kb}/graph/entities"],
  get_entity: ["GET", "/v1/kbs/{kb}/graph/entities/{entity}"],
  get_neighbourhood: ["GET", "/v1/kbs/{kb}/graph/entities/{entity}/neighbourhood"],
  export_graph: ["GET", "/v1/kbs/{kb}/graph/export"],
  list_labels: ["GET", "/v1/kbs/{kb}/graph/labels"],
  get_stats: ["GET", "/v1/kbs/{kb}/graph/stats"],
  query: ["POST", "/v1/kbs/{kb}/query"],
  search: ["POST", "/v1/kbs/{kb}/search"],
  list_keys: ["GET", "/v1/keys"],
  create_key: ["POST", "/v1/keys"],
  revoke_key: ["DELETE", "/v1/keys/{key}"],
  get_key: ["GET", "/v1/keys/{key}"],
  change_key: ["PATCH", "/v1/keys/{key}"],
  list_models: ["GET", "/v1/models"],
  get_model: ["GET", "/v1/models/{model}"],
  create_response: ["POST", "/v1/responses"],
  close_session: ["DELETE", "/v1/session"],
  get_session: ["GET", "/v1/session"],
  open_session: ["POST", "/v1/session"],
  link_session: ["POST", "/v1/session/links"],
  get_system: ["GET", "/v1/system"],
  list_tenants: ["GET", "/v1/tenants"],
  create_tenant: ["POST", "/v1/tenants"],
  get_tenant: ["GET", "/v1/tenants/{tenant}"],
  change_tenant: ["PATCH", "/v1/tenants/{tenant}"],
  resume_tenant: ["POST", "/v1/tenants/{tenant}/resume"],
  suspend_tenant: ["POST", "/v1/tenants/{tenant}/suspend"],
  get_usage: ["GET", "/v1/usage"],
} as const satisfies Record<keyof Operations, readonly [string, string]>;
