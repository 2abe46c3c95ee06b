"""A token for the API server of an EKS cluster, as kubectl asks for one: `python -m scripts.eks_token CLUSTER`.

What `aws eks get-token` does, without the AWS CLI. The token is a presigned URL of STS GetCallerIdentity; the API
server sends it to STS and learns who asks. Its form: https://github.com/kubernetes-sigs/aws-iam-authenticator,
"API Authorization from Outside a Cluster".
"""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto3 import Session

PREFIX = "k8s-aws-v1."
URL_SECONDS = 60
"""How long the URL says it is valid; the API server takes it for 15 minutes all the same."""
FRESH = timedelta(minutes=14)
"""After this kubectl asks again."""
API = "client.authentication.k8s.io/v1"


def token(session: Session, cluster: str) -> str:
    """A bearer token for the cluster, made without a call to AWS."""
    from botocore.signers import RequestSigner

    client = session.client("sts")
    signer = RequestSigner(
        client.meta.service_model.service_id,
        client.meta.region_name,
        "sts",
        "v4",
        session.get_credentials(),  # type: ignore[arg-type]  # None is refused by the signer itself
        session.events,
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{client.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=client.meta.region_name,
        expires_in=URL_SECONDS,
        operation_name="",
    )
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def credential(session: Session, cluster: str, now: datetime) -> dict[str, object]:
    """What kubectl reads from an exec plugin."""
    until = (now + FRESH).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"token": token(session, cluster), "expirationTimestamp": until}
    return {"apiVersion": API, "kind": "ExecCredential", "status": status}


def main() -> int:
    """Exit code 0; 2 without usable credentials, and kubectl shows what is said."""
    import boto3
    from botocore.exceptions import BotoCoreError

    from generators.errors import FleetError
    from scripts import target

    try:
        (name,) = sys.argv[1:]
        session = boto3.Session(region_name=target.load(name).region)
        said = credential(session, name, datetime.now(UTC))
    except (BotoCoreError, FleetError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
