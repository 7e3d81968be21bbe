"""The form of prompts: with the model's chat template or plain, with its thinking on or off.

Whatever the form, reasoning blocks are removed from a reply before it is graded
(:mod:`transferscope.core.thinking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError

from ..core.errors import InputError

THINKING_NAMES = ("enable_thinking", "thinking")
"""Variables by which chat templates let a caller switch thinking (Qwen, GLM and SmolLM; DeepSeek
and Granite)."""
_SWITCH = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class PromptForm:
    """How messages become a prompt.

    Without ``template``, the messages' contents are joined by blank lines, as for a base model.
    ``thinking`` switches the reasoning of models whose template can; ``None`` leaves the template's
    own default. Raises :class:`InputError` for thinking without a template.
    """

    template: bool = True
    thinking: bool | None = None

    def __post_init__(self) -> None:
        if self.thinking is not None and not self.template:
            remedy = "leave out --thinking or --template off"
            what = "thinking is switched by the chat template, which is off"
            raise InputError(what, place="--thinking", remedy=remedy)

    @classmethod
    def parse(cls, template: str, thinking: str) -> PromptForm:
        """Read ``on`` or ``off``, for ``thinking`` also ``default``."""
        if template not in _SWITCH:
            raise InputError(f"is {template!r}", place="--template", remedy="use on or off")
        if thinking != "default" and thinking not in _SWITCH:
            remedy = "use default, on or off"
            raise InputError(f"is {thinking!r}", place="--thinking", remedy=remedy)
        return cls(_SWITCH[template], _SWITCH.get(thinking))

    def described(self) -> dict[str, str]:
        """What a run records about the form; a default is left out."""
        found = {} if self.template else {"chat_template": "off"}
        return found if self.thinking is None else found | {"thinking": self._word}

    def switches(self) -> dict[str, bool]:
        """The variables for a chat template; empty by default."""
        return {} if self.thinking is None else dict.fromkeys(THINKING_NAMES, self.thinking)

    def switches_of(self, template: str, *, place: str) -> Mapping[str, bool]:
        """The variables that ``template`` reads.

        Raises :class:`InputError` if thinking is switched but the template has no such variable:
        it would ignore the switch.
        """
        if self.thinking is None:
            return {}
        used = {name: on for name, on in self.switches().items() if name in _names(template)}
        if not used:
            raise InputError(
                f"the chat template has no variable {' or '.join(THINKING_NAMES)}, so thinking "
                f"can't be switched {self._word}",
                place=place,
                remedy="leave out --thinking",
            )
        return used

    @property
    def _word(self) -> str:
        return "on" if self.thinking else "off"


AS_USUAL = PromptForm()
"""The model's own chat template with its defaults."""


@lru_cache(maxsize=16)
def _names(template: str) -> frozenset[str]:
    """The variables that occur in a template, not counting attributes (``message.thinking``).

    The template is only split into tokens: it may use tags that plain Jinja doesn't have.
    """
    found, before = set(), ""
    try:
        for _, kind, value in Environment(autoescape=False).lex(template):
            if kind == "name" and before != ".":
                found.add(value)
            if kind != "whitespace":
                before = value
    except TemplateSyntaxError:
        pass  # rendering reports it
    return frozenset(found)
