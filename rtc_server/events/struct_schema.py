"""JSON Schema of structs and dataclasses: msgspec's, with what the docstrings of fields say."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

import msgspec


def definitions(
    kinds: Iterable[type], reference: str, name: Callable[[type], str], *, always_sent: bool
) -> dict[str, Any]:
    """Return the definition of each of `kinds`, and of those in their fields, by its public name.

    Args:
        kinds: structs and dataclasses, each with a class name of its own.
        reference: address of a definition, with ``{name}`` in it.
        name: returns the public name of a kind.
        always_sent: fields that hold their default are sent, too, but for structs that leave
            them out. Otherwise they may be absent, and the definition has their defaults.
    """
    structs = {kind.__name__: kind for kind in _all(kinds)}
    _, made = msgspec.json.schema_components(tuple(kinds), ref_template=reference)
    text = json.dumps(made)
    for own, kind in structs.items():
        there, public = reference.format(name=own), reference.format(name=name(kind))
        text = text.replace(json.dumps(there), json.dumps(public))
    named: dict[str, Any] = json.loads(text)
    for body in named.values():
        body.pop("title")
    for own, kind in structs.items():
        _describe(named[own], kind, always_sent=always_sent)
    result = {name(kind): named.pop(own) for own, kind in structs.items()}
    return result | named  # of the rest, enumerations, the name is public


def _all(kinds: Iterable[type]) -> list[type]:
    """Return these and the structs that their fields hold, these first."""
    found: dict[type, None] = dict.fromkeys(kinds)
    waiting = [msgspec.inspect.type_info(kind) for kind in found]
    while waiting:
        form: Any = waiting.pop(0)
        if isinstance(form, msgspec.inspect.StructType | msgspec.inspect.DataclassType):
            found.setdefault(form.cls)
            waiting += [each.type for each in form.fields]
        for part in ("type", "item_type"):
            inner = getattr(form, part, None)
            waiting += [inner] if isinstance(inner, msgspec.inspect.Type) else []
        waiting += getattr(form, "types", ()) + getattr(form, "item_types", ())
    return list(found)


def _describe(body: dict[str, Any], kind: type, *, always_sent: bool) -> None:
    """Add what docstrings say, and take out what says nothing to a client."""
    config = getattr(kind, "__struct_config__", None)
    leaves_out = config is not None and config.omit_defaults
    texts = _field_docstrings(kind)
    if "description" in body:
        body["description"] = _in_json(body["description"])
    for name, field in body["properties"].items():
        if always_sent or field.get("default") is None:
            field.pop("default", None)
        if name in texts and "description" not in field:
            field["description"] = texts[name]
        if always_sent and name not in body["required"] and not leaves_out:
            body["required"].append(name)


def _field_docstrings(kind: type) -> dict[str, str]:
    """Return the docstrings below the fields of a class and its bases, by field."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if not each.__module__.startswith("rtc_server."):
            continue  # object, Struct and what that is made of
        [body] = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for pair in zip(body.body, body.body[1:], strict=False):
            match pair:
                case (
                    ast.AnnAssign(target=ast.Name(name)),
                    ast.Expr(value=ast.Constant(str(text))),
                ):
                    texts[name] = _in_json(text)
    return texts


def _in_json(docstring: str) -> str:
    """Return a docstring on one line, in the words of JSON."""
    return re.sub(r"\bNone\b", "null", " ".join(docstring.replace("``", "`").split()))
