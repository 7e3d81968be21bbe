"""Messages to text: a template that refuses is one line with the place and the remedy."""

import pytest

from transferscope.core.errors import InputError
from transferscope.engines.rendering import rendered

SYSTEM = [{"role": "system", "content": "w1"}, {"role": "user", "content": "w2"}]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (
            "{% for m in messages %}{% if m['role'] == 'system' %}"
            "{{ raise_exception('System role not supported') }}{% endif %}{{ m['content'] }}"
            "{% endfor %}",
            "System role not supported",
        ),
        ("{% for", "unexpected 'end of template'"),
        ("{{ messages[0].nothing.further }}", "has no attribute 'nothing'"),
        ("{{ messages[0]['content'] + 1 }}", "can only concatenate str"),
    ],
)
def test_a_template_that_refuses_is_one_line(tiny_tokenizer, monkeypatch, template, told):
    monkeypatch.setattr(tiny_tokenizer, "chat_template", template)
    monkeypatch.setattr(tiny_tokenizer, "name_or_path", "models/gemma")
    with pytest.raises(InputError) as caught:
        rendered(tiny_tokenizer, SYSTEM)
    line = str(caught.value)
    assert line.startswith("models/gemma: the chat template can't render messages of system, user:")
    assert told in line
    assert "fix the tokenizer's chat template" in line
    assert "\n" not in line


def test_messages_that_the_template_takes_are_not_touched(tiny_tokenizer, monkeypatch):
    template = "{% for m in messages %}{{ m['content'] }} {% endfor %}w3"
    monkeypatch.setattr(tiny_tokenizer, "chat_template", template)
    assert rendered(tiny_tokenizer, SYSTEM) == "w1 w2 w3"
