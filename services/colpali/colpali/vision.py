"""Pages as images: the ColPali families, through colpali-engine."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from atoll.errors import BadInput, StartRefused
from atoll.serving.processor import bf16_hardware
from atoll.serving.start import reading_model
from atoll.serving.weights import weights_sha256
from colpali.backend import Card, PageVectors, SourcePage, Vectors
from colpali.checkpoint import Checkpoint, Layout
from colpali.engine import import_models
from colpali.layout import on_grid, tiles_to_raster, unit

#: The model's input by name; the first axis is the batch.
Features = Mapping[str, torch.Tensor]

_TILE_MARKER = re.compile(r"<row_(\d+)_col_(\d+)>")


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPage:
    """A page as the model's input, and the grid its image tokens make: in tiles, or (1, 1) for one raster."""

    features: Features
    columns: int
    rows: int
    tiles: tuple[int, int]


class Vision:
    """A loaded model of one of the families."""

    def __init__(
        self, checkpoint: Checkpoint, network: Any, processors: tuple[Any, Any], *, device: str, dtype: torch.dtype
    ) -> None:
        self._family = checkpoint.family
        self._network = network
        # Processors keep state during a call; queries have one of their own and never wait for a page.
        self._page_processor, self._query_processor = processors
        self._page_lock, self._query_lock = threading.Lock(), threading.Lock()
        self._device, self._dtype = device, dtype
        self._resolution = _Resolution(self._page_processor, checkpoint)
        tokenizer = self._page_processor.tokenizer
        self._image_token: str = self._page_processor.image_token
        self._image_token_id = int(tokenizer.convert_tokens_to_ids(self._image_token))
        self._pad_id, self._pad_left = int(tokenizer.pad_token_id), tokenizer.padding_side == "left"
        self._tile_of = {
            token_id: (int(match[1]), int(match[2]))
            for token, token_id in tokenizer.get_vocab().items()
            if (match := _TILE_MARKER.fullmatch(token))
        }
        self.card = Card(
            backend="colpali",
            model=checkpoint.name,
            dimensions=int(network.dim),
            weights_sha256=weights_sha256(checkpoint.folder),
            needs_images=True,
            needs_lines=False,
            facts={
                "family": self._family.model,
                "layout": self._family.layout.name.lower(),
                "adapter": checkpoint.adapter is not None,
                "dtype": "bf16" if dtype is torch.bfloat16 else "fp32",
                "device": device,
                **self._resolution.facts,
            },
        )

    def prepare_page(self, page: SourcePage) -> tuple[PreparedPage, int]:
        """See ``Backend``."""
        if page.image is None:
            raise BadInput("image: this backend sees images; send one")
        with self._page_lock:
            self._resolution.choose(*page.image.size)
            features = self._page_processor.process_images([page.image])
        # PaliGemma's processor also prepares labels, for training.
        prepared = self._placed({name: self._cast(tensor) for name, tensor in features.items() if name != "labels"})
        return prepared, int(features["input_ids"].shape[1])

    def run_pages(self, batch: Sequence[PreparedPage]) -> Sequence[Vectors]:
        """See ``Backend``; padding and prompt tokens are left out, and the overview tile after the others."""
        features = self._collated([page.features for page in batch])
        chosen = (features["input_ids"] == self._image_token_id) & features["attention_mask"].bool()
        return [
            vectors[: page.columns * page.rows]
            for page, vectors in zip(batch, self._forward(features, chosen), strict=True)
        ]

    def finish_page(self, prepared: PreparedPage, raw: Vectors) -> PageVectors:
        """See ``Backend``."""
        columns, rows = prepared.tiles
        if (columns, rows) != (1, 1):
            raw = tiles_to_raster(raw, columns=columns, rows=rows, side=prepared.columns // columns)
        return on_grid(raw, columns=prepared.columns, rows=prepared.rows)

    def prepare_query(self, text: str) -> tuple[Features, int]:
        """See ``Backend``. The image token is taken out of the text: it would ask for an image."""
        with self._query_lock:
            features = self._query_processor.process_queries(texts=[text.replace(self._image_token, " ")])
        return dict(features), int(features["input_ids"].shape[1])

    def run_queries(self, batch: Sequence[Features]) -> Sequence[Vectors]:
        """See ``Backend``. One at a time and never padded: PaliGemma gives a padded query other vectors."""
        return [unit(vectors) for query in batch for vectors in self._forward(query, query["attention_mask"].bool())]

    def _forward(self, features: Features, chosen: torch.Tensor) -> list[Vectors]:
        """Return the ``chosen`` (batch, tokens) rows of each input."""
        with torch.inference_mode():
            on_device = {name: tensor.to(self._device) for name, tensor in features.items()}
            embedded = self._network(**on_device).float().cpu().numpy()
        return [rows[mask] for rows, mask in zip(embedded, chosen.numpy(), strict=True)]

    def _cast(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._dtype) if tensor.is_floating_point() else tensor

    def _placed(self, features: Features) -> PreparedPage:
        """Read from the model's own input which grid the page became."""
        ids = features["input_ids"][0].tolist()
        count = ids.count(self._image_token_id)
        if self._family.layout is Layout.PATCHES:
            merge = int(self._page_processor.image_processor.merge_size)
            _, rows, columns = (int(number) for number in features["image_grid_thw"][0])
            return PreparedPage(features, columns // merge, rows // merge, (1, 1))
        if self._family.layout is Layout.SQUARE:
            side = math.isqrt(count)
            return PreparedPage(features, side, side, (1, 1))
        side = math.isqrt(int(self._page_processor.image_seq_len))
        # A page that fits one tile has no markers, and that tile is all there is.
        tile_rows, tile_columns = max((self._tile_of[token] for token in ids if token in self._tile_of), default=(1, 1))
        return PreparedPage(features, side * tile_columns, side * tile_rows, (tile_columns, tile_rows))

    def _collated(self, inputs: Sequence[Features]) -> dict[str, torch.Tensor]:
        """Join inputs of one each into a batch: tokens are padded on the tokenizer's side, everything else after.

        A tensor that runs along the tokens has the shape of their ids; the others are pixels, their masks, and sizes.
        """
        if len(inputs) == 1:
            return dict(inputs[0])
        joined: dict[str, torch.Tensor] = {}
        for name in inputs[0]:
            tensors = [features[name] for features in inputs]
            along_tokens = tensors[0].shape == inputs[0]["input_ids"].shape
            longest = max(tensor.shape[1] for tensor in tensors)
            fill = self._pad_id if name == "input_ids" else 0
            joined[name] = torch.cat(
                [_padded(tensor, longest, fill, left=along_tokens and self._pad_left) for tensor in tensors]
            )
        return joined


class _Resolution:
    """How many pixels of a page a model gets to see: the knob that sets the price of a page."""

    def __init__(self, processor: Any, checkpoint: Checkpoint) -> None:
        self._images = processor.image_processor
        self._max_tiles = checkpoint.max_tiles
        self._edge = 0
        self.facts: dict[str, object] = {}
        if checkpoint.family.layout is Layout.TILES:
            self._tile = int(self._images.max_image_size["longest_edge"])
            self._edge = checkpoint.longest_edge or int(self._images.size["longest_edge"])
            self.facts = {"longest_edge": self._edge, "tile_pixels": self._tile, "max_tiles": self._max_tiles}
        elif checkpoint.family.layout is Layout.PATCHES:
            if checkpoint.longest_edge is not None:
                least = int(self._images.size["shortest_edge"])  # transformers keeps pixel counts under these names
                pixels = max(least, checkpoint.longest_edge**2)
                self._images.size = {"shortest_edge": least, "longest_edge": pixels}
            self.facts = {"max_page_pixels": int(self._images.size["longest_edge"])}

    def choose(self, width: int, height: int) -> None:
        """Set the processor for a page of this many pixels."""
        if self._edge:
            self._images.size = {"longest_edge": self._affordable(min(width, height) / max(width, height))}

    def _affordable(self, aspect: float) -> int:
        """Return the longest edge at which a page, its overview counted, stays within ``max_tiles``."""
        edge = self._edge
        while self._max_tiles is not None and edge > self._tile:
            along = math.ceil(edge / self._tile)
            if along * math.ceil(along * aspect) + 1 <= self._max_tiles:
                break
            edge = (along - 1) * self._tile
        return edge


def _padded(tensor: torch.Tensor, length: int, fill: int, *, left: bool) -> torch.Tensor:
    """Return ``tensor`` with its second axis filled up to ``length``."""
    missing = length - tensor.shape[1]
    if missing == 0:
        return tensor
    padding = tensor.new_full((tensor.shape[0], missing, *tensor.shape[2:]), fill)
    return torch.cat([padding, tensor] if left else [tensor, padding], dim=1)


def load(checkpoint: Checkpoint, *, dtype: str, threads: int) -> Vision:
    """Load a checkpoint, on the GPU where there is one.

    ``dtype`` is ``fp32``, ``bf16`` or ``auto``: bf16 on a GPU and on processors that multiply it in hardware.

    Raises:
        StartRefused: it cannot be loaded; the message names the folder.
    """
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    models, has_torchvision = import_models()
    if checkpoint.family.layout is Layout.PATCHES and not has_torchvision:
        raise StartRefused(
            f"{checkpoint.family.model} needs torchvision; install the wheel of this torch build, or choose a ColSmol, "
            "ColModernVBERT or ColPali model"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    low = dtype == "bf16" or (dtype == "auto" and (device == "cuda" or bf16_hardware()))
    chosen = torch.bfloat16 if low else torch.float32
    with reading_model(checkpoint.folder):
        network = _network(checkpoint, getattr(models, checkpoint.family.model), chosen)
        processor = getattr(models, checkpoint.family.processor)
        processors = tuple(_processor(checkpoint, processor) for _ in range(2))
        return Vision(checkpoint, network.to(device).eval(), processors, device=device, dtype=chosen)


def _network(checkpoint: Checkpoint, kind: Any, dtype: torch.dtype) -> Any:
    network = kind.from_pretrained(str(checkpoint.weights), local_files_only=True, use_safetensors=True, dtype=dtype)
    if checkpoint.adapter is not None:
        from peft.tuners.tuners_utils import BaseTunerLayer

        network.load_adapter(str(checkpoint.adapter), adapter_kwargs={"local_files_only": True})
        for layer in network.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.merge()  # once, instead of two small products a layer in every pass
    if hasattr(getattr(network, "model", None), "lm_head"):
        # ColPali runs its language model's vocabulary head and drops the result: a tenth of the work, a gigabyte.
        network.model.lm_head = torch.nn.Identity()
    absent = [name for name, parameter in network.named_parameters() if parameter.is_meta]
    if absent:
        raise StartRefused(f"{checkpoint.weights} has no weights for {absent[0]}; copy the whole model")
    return network


def _processor(checkpoint: Checkpoint, kind: Any) -> Any:
    """Read the processor: an adapter folder has its own, or leaves it to the model it changes."""
    own = any((checkpoint.folder / name).is_file() for name in ("processor_config.json", "preprocessor_config.json"))
    return kind.from_pretrained(str(checkpoint.folder if own else checkpoint.weights), local_files_only=True)
