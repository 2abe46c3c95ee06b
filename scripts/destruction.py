"""What `make destroy` may take with it: the two words, checked before anything is touched, and what stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.cli import console
from generators.errors import FleetError, wrong
from scripts import adoption
from scripts.target import Target, retries
from scripts.terraform import Root

if TYPE_CHECKING:
    from types_boto3_rds.type_defs import DBSnapshotTypeDef

STORAGE = "module.storage"
HOW_TO = "docs/how-to/destroy-a-cluster.md"
WORDS = {"aws_db_instance": "deletable", "aws_kms_key": "discard_data", "aws_s3_bucket": "discard_data"}
"""What holds data, or the key to them, and the word that lets it go. A database leaves a snapshot with the first."""
KEY_PRICE = "1 USD a month"
"""Of a key that is not rotated yet; each of the first two rotations adds as much (aws.amazon.com/kms/pricing, 2025)."""


@dataclass(frozen=True)
class Data:
    """A cluster's bucket, key and database, as the file says, as the state holds them, and as they live in AWS."""

    root: Root
    resources: list[dict[str, Any]]

    @property
    def target(self) -> Target:
        """The cluster."""
        return self.root.target

    @property
    def discard(self) -> bool:
        """The second word."""
        return bool(self.target.facts["storage"].get("discard_data"))

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [each["values"] for each in self.resources if each["type"] == kind]

    def refuse(self) -> None:
        """Raises FleetError unless the words are in the cluster file, and what it says is applied."""
        if not self.resources:
            return
        name = self.target.name
        if not self.target.facts["storage"].get("deletable"):
            way = (
                f"`fleet set {name} storage.deletable true`, render and apply; then destroy keeps the bucket, its key "
                "and a final snapshot of the database. With storage.discard_data too, nothing is kept"
            )
            raise wrong(
                f"clusters/{name}/cluster.yaml",
                "is not true: the cluster's data must stay",
                key="storage.deletable",
                hint=way,
            )
        if unapplied := [*self._unapplied()]:
            hint = f"make apply NAME={name}: destroy does what was applied, not what is written"
            raise FleetError([problem for said in unapplied for problem in wrong(name, said, hint=hint).problems])

    def _unapplied(self) -> list[str]:
        """Where state or AWS is not what the file says. RDS's word counts more than the state's."""
        pools = [each["name"] for each in self._of("aws_cognito_user_pool") if each["deletion_protection"] == "ACTIVE"]
        found = [f"the login's user pool {name} is still protected from deletion" for name in pools]
        for database in self._of("aws_db_instance"):
            if database["deletion_protection"] or self._protected(database["identifier"]):
                found.append(f"the database {database['identifier']} is still protected from deletion")
            if database["skip_final_snapshot"] != self.discard:
                would = "without a" if database["skip_final_snapshot"] else "with a"
                says = "true" if self.discard else "false"
                found.append(
                    f"the database {database['identifier']} would go {would} final snapshot, "
                    f"but storage.discard_data is {says}"
                )
        full = [each["name"] for each in self._of("aws_ecr_repository") if not each["force_delete"]]
        found += [f"the repository {name} would refuse to go with its images" for name in full]
        if self.discard:
            kept = [each["bucket"] for each in self._of("aws_s3_bucket") if not each["force_destroy"]]
            found += [f"the bucket {bucket} would refuse to go with what it holds" for bucket in kept]
        return found

    def _protected(self, identifier: str) -> bool:
        rds = self.target.session.client("rds", config=retries())
        try:
            found = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        except rds.exceptions.DBInstanceNotFoundFault:
            return False
        return any(each["DeletionProtection"] for each in found)

    def going(self) -> list[str]:
        """Addresses of what Terraform will remove."""
        found = [each["address"] for each in self.resources]
        return [each for each in found if self.discard or not each.startswith(f"{STORAGE}.")]

    def keep(self) -> None:
        """Takes what stays out of the state, unless told twice: Terraform then forgets it and lets it be."""
        if not self.discard and any(each["address"].startswith(f"{STORAGE}.") for each in self.resources):
            self.root.must("state", "rm", STORAGE, quiet=True)

    def kept(self) -> dict[str, str]:
        """ARN to words of what stays on purpose; nothing when told twice."""
        if self.discard:
            return {}
        target, found = self.target, {}
        there = adoption.left(target)
        if bucket := there.get("bucket"):
            found[f"arn:aws:s3:::{bucket}"] = f"bucket {bucket}, at S3's price for what it holds"
        if key := there.get("key"):
            arn = f"arn:aws:kms:{target.region}:{target.account}:key/{key}"
            found[arn] = f"KMS key {there['alias']}, {KEY_PRICE}; without it bucket and snapshot are lost"
        return found | {
            each[
                "DBSnapshotArn"
            ]: f"snapshot {each['DBSnapshotIdentifier']} of {each['AllocatedStorage']} GiB, at RDS's price"
            for each in self._snapshots()
        }

    def _snapshots(self) -> list[DBSnapshotTypeDef]:
        database = self.target.facts["storage"]["database"]
        if not database:
            return []
        rds = self.target.session.client("rds", config=retries())
        asked = {"DBInstanceIdentifier": database["identifier"], "SnapshotType": "manual"}
        return [
            each
            for page in rds.get_paginator("describe_db_snapshots").paginate(**asked)
            for each in page["DBSnapshots"]
        ]


def refuse_loss(root: Root, plan: dict[str, Any]) -> None:
    """Raises FleetError where a plan, as Terraform shows it in JSON, removes data without the words for it."""
    storage, problems = root.target.facts["storage"], []
    for each in plan.get("resource_changes", ()):
        word = WORDS.get(each["type"])
        ours = each["address"].startswith((f"{STORAGE}.", "module.database"))
        if word and ours and "delete" in each["change"]["actions"] and not storage.get(word):
            said = f"would remove {each['address']}, and with it data, but storage.{word} is not true"
            problems += wrong(
                "terraform plan", said, hint="the plan is not saved; what forces it is shown above"
            ).problems
    if problems:
        raise FleetError(problems)


def data_of(root: Root) -> Data:
    """The cluster's data."""
    return Data(root, root.resources())


def confirmed(name: str, said: str) -> None:
    """Raises FleetError unless the name was given twice."""
    if said != name:
        what = "the confirmation is empty" if not said else f"the confirmation says `{said}`"
        raise wrong(name, f"is not destroyed: {what}", hint=f"make destroy NAME={name} CONFIRM={name}")


def tell_kept(kept: dict[str, str]) -> None:
    """Says what stays, what it costs, and where it stands how to remove it."""
    for words in kept.values():
        console.say(f"kept: {words}")
    if kept:
        console.say(f"a later `make apply` of this name takes bucket and key over; how to remove them: {HOW_TO}")


def tell_others(others: list[str]) -> None:
    """Lists what stands in AWS beside what Terraform could not remove."""
    for arn in others:
        console.data(arn)
    if others:
        console.warn(
            f"{console.count(len(others), 'thing')} of the cluster that Terraform does not hold, listed above. A load "
            f"balancer, an interface or a security group among them holds up subnets and VPC; {HOW_TO}"
        )


def tell_left(left: list[str]) -> None:
    """Lists what is left and was not to be."""
    for arn in left:
        console.data(arn)
    again = "AWS's lists lag behind by minutes: ask again with make destroy"
    console.warn(
        f"{console.count(len(left), 'thing')} of the cluster left in AWS, which may cost money. {again}; {HOW_TO}"
    )
