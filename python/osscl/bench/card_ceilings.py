"""What a GPU could do at most: matrix products by the engine that computes the model, and copies to it."""

from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np

from osscl.backends.gpu.card import Card
from osscl.bench.card_stages import CardCopies, CardEngine
from osscl.bench.ceilings import Ceilings
from osscl.bench.figures import Copies, MatrixProduct
from osscl.bench.lines import Line
from osscl.bench.product_model import N_PRODUCTS, has_products, product_bundle
from osscl.bench.rounds import Work
from osscl.cuda.devices import open_device

SIZE = 4096
"""Rows and columns of the matrices: large enough for any card, and 16 of them small enough."""


class CardCeilings(Ceilings):
    """Matrix products in the model's precision, and copies of its batches.

    Parameters
    ----------
    card : Card
        What computes the model.
    seconds : float
        Time for products, and time for copies.
    opened : ExitStack
        Gives the card's memory back.
    """

    def __init__(self, card: Card, seconds: float, opened: ExitStack) -> None:
        self._precision = card.bundle.manifest.network.precision
        self._copied = CardCopies(card.device, card.max_batch, card.bundle.manifest.clip.n_samples)
        self._copies = Work(self._copied.run, seconds)
        self._products = []
        if has_products(self._precision):
            engine = CardEngine(opened.enter_context(closing(_product_card(card))), _matrix())
            self._products = [Work(engine.run, seconds)]
        self.works = (self._copies, *self._products)

    def products(self) -> tuple[MatrixProduct, ...]:
        gflop = 2e-9 * SIZE**3 * N_PRODUCTS
        return tuple(
            MatrixProduct(
                precision=self._precision,
                threads=None,
                size=SIZE,
                gflop_per_s=gflop * work.clips_per_s,
                best_gflop_per_s=gflop * work.best_clips_per_s,
                n_products=N_PRODUCTS * sum(repetition.n_clips for repetition in work.done),
            )
            for work in self._products
        )

    def multiply_adds(self) -> tuple[()]:
        return ()

    def copies(self) -> Copies:
        gb_per_clip = 1e-9 * self._copied.n_bytes / self._copied.n_clips
        return Copies(
            n_bytes=self._copied.n_bytes,
            gb_per_s=gb_per_clip * self._copies.clips_per_s,
            best_gb_per_s=gb_per_clip * self._copies.best_clips_per_s,
            best_clips_per_s=self._copies.best_clips_per_s,
        )

    def peak_gflop_per_s(self, line: Line) -> float | None:
        return max((each.best_gflop_per_s for each in self.products()), default=None)


def _product_card(card: Card) -> Card:
    """The same kind of engine on the same card, for the products."""
    bundle = product_bundle(card.bundle.manifest, SIZE)
    options = replace(card.options, threads=1, streams=None, batch_size=1)
    return type(card)(bundle, open_device(card.device.index), options)


def _matrix() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """[1, SIZE * SIZE]"""
    return np.random.default_rng(1).standard_normal((1, SIZE * SIZE), np.float32)
