"""Trial requests to a server, one per capability, before the first item of an evaluation.

Some servers accept any model's name, ignore the temperature, or return no log-probabilities of a
prompt. Without a trial this is found after hours, or never.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.errors import InputError
from ..core.records import Decoding, Generation, no_tick
from .endpoint import Endpoint
from .protocol import Needs
from .replies import json_object, one_line

ONE = Decoding(max_tokens=1)
SAMPLES = 4
"""Number of samples that must not all be equal."""
SAMPLED_TOKENS = 48
NOBODY = "transferscope-asks-for-a-model-that-nobody-serves"
SHOWN = 8
"""Number of a server's model names that a message lists."""

Payload = Callable[[int, Decoding], dict[str, Any]]
"""Makes the request for a sample, by its number, of the trial prompt."""
Read = Callable[[dict[str, Any], Decoding], Generation]


class Trial:
    """The trial requests for ``model`` at ``endpoint``, sent to ``path``."""

    def __init__(self, endpoint: Endpoint, model: str, path: str) -> None:
        self.endpoint, self.model, self.path = endpoint, model, path

    def generation(self, needs: Needs, payload: Payload, read: Read) -> None:
        """Ask for an answer, and for several samples if answers will be sampled.

        Raises :class:`InputError` if the request is refused, if the server doesn't have the model,
        and if all samples are equal.
        """
        first = payload(0, ONE)
        self.named(lambda: self._ask([first]))
        if self._is_unlisted() and self._accepts({**first, "model": NOBODY}):
            raise self._no_such_model()
        if needs.temperature:
            decoding = Decoding(max(1.0, needs.temperature), max_tokens=SAMPLED_TOKENS)
            payloads = [payload(nth, decoding) for nth in range(SAMPLES)]
            texts = [read(answer, decoding).text for answer in self._ask(payloads)]
            if texts[0] and len(set(texts)) == 1:
                raise InputError(
                    f"{SAMPLES} samples at temperature {decoding.temperature:g} are all equal, so "
                    "the server does not sample",
                    place=self.endpoint.options.url(self.path),
                    remedy="use a server that honours temperature and seed, or temperature 0",
                )

    def named(self, ask: Callable[[], object]) -> None:
        """Call ``ask``; if it fails because of the address or the model's name, say so."""
        try:
            ask()
        except InputError:
            if (address := self._address_with_v1()) is not None:
                what = "the server answers under /v1, which base_url leaves out"
                remedy = f"use --engine-args base_url={address}"
                raise InputError(
                    what, place=self.endpoint.options.base_url, remedy=remedy
                ) from None
            if self._is_unlisted():
                raise self._no_such_model() from None
            raise

    def _ask(self, payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        def whole(_: int, answer: dict[str, Any]) -> dict[str, Any]:
            return answer

        return self.endpoint.ask_all(self.path, payloads, whole, what="trial", tick=no_tick)

    def _accepts(self, payload: dict[str, Any]) -> bool:
        try:
            self._ask([payload])
        except InputError:
            return False
        return True

    def _models(self) -> list[str]:
        """The names that the server lists; empty if it lists none."""
        _, body = self.endpoint.get(self.endpoint.options.url("models"))
        listed = json_object(body).get("data")
        rows = listed if isinstance(listed, list) else []
        names = [row.get("id") for row in rows if isinstance(row, dict)]
        return [name for name in names if isinstance(name, str)]

    def _is_unlisted(self) -> bool:
        names = self._models()
        return bool(names) and self.model not in names

    def _no_such_model(self) -> InputError:
        names = [one_line(name) for name in self._models()]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return InputError(
            f"the server has no model {self.model!r}",
            place=self.endpoint.options.base_url,
            remedy=f"name one that it lists: {', '.join(names[:SHOWN])}{more}",
        )

    def _address_with_v1(self) -> str | None:
        """The address under which the server does list models, if only ``/v1`` was left out."""
        address = f"{self.endpoint.options.base_url.rstrip('/')}/v1"
        _, body = self.endpoint.get(f"{address}/models")
        return address if isinstance(json_object(body).get("data"), list) else None
