"""One API of AWS on moto's plumbing: each request and each answer is held against botocore's model of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, cast

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator
from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores

Stored = dict[str, Any]
"""A thing of AWS, as the API describes it."""
P = ParamSpec("P")


class Refused(ServiceException):
    """An error of the API: its code and a message."""


def wrong(value: Any, shape: Shape) -> list[str]:
    """Where the model refuses a value: members missing or unknown, types, lengths, enums, patterns."""
    report = ParamValidator().validate(value, shape)
    return [report.generate_report()] if report.has_errors() else list(_unlisted(value, shape, shape.name))


def _unlisted(value: Any, shape: Shape, at: str) -> Iterator[str]:
    """What ParamValidator does not look at: enums, patterns and maxima."""
    if isinstance(shape, StructureShape):
        for key, each in value.items():
            yield from _unlisted(each, shape.members[key], f"{at}.{key}")
    elif isinstance(shape, ListShape):
        for each in value:
            yield from _unlisted(each, shape.member, at)
    elif isinstance(shape, MapShape):
        for each in value.values():
            yield from _unlisted(each, shape.value, at)
    facts = shape.metadata
    if value not in facts.get("enum", [value]) or not _fits(facts.get("pattern", ""), str(value)):
        yield f"{at}: {value!r} is none of {facts.get('enum') or facts['pattern']}"
    if "max" in facts and (value if isinstance(value, int | float) else len(value)) > facts["max"]:
        yield f"{at}: {value!r} is more than {facts['max']}"


def _fits(pattern: str, text: str) -> bool:
    """Of a pattern that Python does not know, such as `\\p{L}`, nothing is said."""
    try:
        return not pattern or re.fullmatch(pattern, text) is not None
    except re.error:
        return True


class Api(BaseResponse):
    """Answers a REST API of JSON. A subclass has a method for each operation, `answered` around it."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.automated_parameter_parsing = True
        self.asked: Stored = {}
        """Members of the request."""

    @property
    def model(self) -> ServiceModel:
        """Botocore's model of the API."""
        return botocore.session.get_session().get_service_model(self.boto3_service_name)

    def call_action(self) -> TYPE_RESPONSE:
        """An operation without a method is refused, so that no client tries it again and again."""
        if not hasattr(self, camelcase_to_underscores(self._get_action() or "unknown")):
            return self.serialized(ActionResult(Refused("NotImplemented", f"{self.method} {self.path}")))
        return super().call_action()

    def read(self) -> None:
        """Fill `asked` from path, query and body. Raises Refused for what the model does not know."""
        shape = self.model.operation_model(self._get_action()).input_shape
        assert shape
        placed = {each.serialization.get("name", key) for key, each in shape.members.items()}
        unknown = set(self.normalized_request.args) - placed
        body = json.loads(self.raw_body) if self.raw_body else {}
        self.asked = {**cast(Stored, self.params), **body}
        said = [f"unknown: {key}" for key in sorted(unknown)] or wrong(self.asked, shape)
        if said:
            raise Refused("InvalidParameterException", "; ".join(said))


def answered(method: Callable[[Any], Stored]) -> Callable[[Any], ActionResult]:
    """Reads the request before the method, and holds its answer against the model: a bug here must not hide."""

    def operation(self: Api) -> ActionResult:
        self.read()
        answer = method(self)
        shape = self.model.operation_model(self._get_action()).output_shape
        assert shape
        assert not wrong(answer, shape), wrong(answer, shape)
        return ActionResult(answer)

    return operation
