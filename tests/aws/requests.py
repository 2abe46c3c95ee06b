"""Every request is held against botocore's model of its API, as AWS would: moto takes nearly anything.

S3, whose requests moto takes another way, is not looked at.
"""

from __future__ import annotations

from typing import Any

import botocore.session
from moto.core.common_types import TYPE_RESPONSE
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from tests.aws.api import Api, Refused, wrong

MODELS = botocore.session.get_session()


def problems(self: BaseResponse, request: Request) -> list[str]:
    """What the model refuses: members missing or unknown, lengths, enums, patterns."""
    action = self._get_action()
    if not action or isinstance(self, Api):  # which looks itself
        return []
    service = get_service_model(self.boto3_service_name)
    parser = PROTOCOL_PARSERS[determine_request_protocol(service, request.content_type)]
    asked: Any = parser(service.operation_model(action)).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": self.uri_match,
        }
    )
    # Moto's models know more than AWS's.
    shape = MODELS.get_service_model(self.boto3_service_name).operation_model(action).input_shape
    return wrong(dict(asked), shape) if shape else []


def dispatch(self: BaseResponse, request: Request, full_url: str | None = None, headers: Any = None) -> TYPE_RESPONSE:
    """As moto does, unless something is amiss."""
    self.setup_class(request, full_url, headers)
    if said := problems(self, request):
        return self.serialized(ActionResult(Refused("ValidationError", f"{self._get_action()}: {'; '.join(said)}")))
    return self.call_action()


def hold() -> None:
    """From now on, in this process."""
    BaseResponse._dispatch = dispatch  # type: ignore[method-assign]
