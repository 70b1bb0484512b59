"""Launch templates: numbered versions, of which none ever changes."""

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, spelled
from localcloud.provider.kinds.common import by_id, deletes, ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import METADATA_OPTIONS, one_at_most, user_data
from localcloud.provider.kinds.ec2.template_data import PLAIN, data_properties, device_failures, template_data
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

VERSIONED = frozenset(PLAIN) | {"description"}
TAGGABLE = ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")
SHUTDOWN = ("stop", "terminate")


def _new_version(change: Change) -> None:
    """Adds a version that says everything; it becomes the default where the program wants that."""
    answer = change.call(
        "create_launch_template_version",
        LaunchTemplateId=change.id,
        LaunchTemplateData=template_data(change),
        VersionDescription=change.inputs.get("description"),
    )
    if change.inputs.get("updateDefaultVersion"):
        _make_default(change, answer["LaunchTemplateVersion"]["VersionNumber"])


def _choose_default(change: Change) -> None:
    """The version that the program names, or the newest where it wants that; else the default stays what it is."""
    if "defaultVersion" in change.inputs:
        _make_default(change, change.inputs["defaultVersion"])
    elif change.inputs.get("updateDefaultVersion"):
        found = change.call("describe_launch_templates", LaunchTemplateIds=[change.id])["LaunchTemplates"][0]
        _make_default(change, found["LatestVersionNumber"])


def _make_default(change: Change, version: int) -> None:
    change.call("modify_launch_template", LaunchTemplateId=change.id, DefaultVersion=str(version))


def _tag_specifications(inputs: Properties) -> Failures:
    for specification in inputs.get("tagSpecifications") or []:
        kind = specification.get("resourceType")
        if kind not in TAGGABLE:
            yield (
                "tagSpecifications",
                f"tagSpecifications: resourceType must be one of {', '.join(TAGGABLE)}, got {kind!r}",
            )


def _name_length(inputs: Properties) -> Failures:
    if not 3 <= len(str(inputs.get("name", "abc"))) <= 128:
        yield "name", f"name must have 3 to 128 characters, got {len(inputs['name'])}"


def _groups_in_one_place(inputs: Properties) -> Failures:
    if inputs.get("vpcSecurityGroupIds") and inputs.get("networkInterfaces"):
        yield (
            "vpcSecurityGroupIds",
            "vpcSecurityGroupIds cannot go together with networkInterfaces: name the groups there",
        )


LAUNCH_TEMPLATE = AwsType(
    token="aws:ec2/launchTemplate:LaunchTemplate",
    service="ec2",
    properties={
        "name": Prop(at="LaunchTemplateName"),
        "description": Prop(at="VersionDescription", resettable=True, read="Version.VersionDescription || ''"),
        **data_properties(),
        "defaultVersion": Prop(read="DefaultVersionNumber", resettable=True),
        "updateDefaultVersion": Prop(resettable=True, read=lambda _: None),
        "tags": Prop(),
    },
    create=Create(
        "create_launch_template",
        "LaunchTemplate.LaunchTemplateId",
        extra=lambda change: {"LaunchTemplateData": template_data(change)},
        of=frozenset(PLAIN),
    ),
    reads=(
        Read("describe_launch_templates", by_id("LaunchTemplateIds", many=True), "LaunchTemplates[0]"),
        Read(
            "describe_launch_template_versions",
            lambda change: {"LaunchTemplateId": change.id, "Versions": ["$Latest"]},
            "LaunchTemplateVersions[0]",
            into="Version",
        ),
    ),
    steps=(
        Step(VERSIONED, _new_version),
        Step(frozenset({"defaultVersion", "updateDefaultVersion"}), _choose_default),
    ),
    delete=deletes("delete_launch_template", "LaunchTemplateId"),
    outputs={"arn": ec2_arn("launch-template"), "latestVersion": "LatestVersionNumber"},
    volatile=frozenset({"latestVersion"}),
    stirred_by=VERSIONED,
    tags=ec2_tags("launch-template"),
    name=AutoName("name", 128),
    rules=(
        spelled("name", r"[a-zA-Z0-9().\-/_]+", "letters, digits and ().-/_"),
        _name_length,
        spelled("imageId", r"ami-[0-9a-f]+|resolve:ssm:.+", "an image id (ami-...) or resolve:ssm:<parameter>"),
        spelled("instanceType", r"[a-z0-9-]+\.[a-z0-9-]+", "an instance type such as t4g.small"),
        among("instanceInitiatedShutdownBehavior", *SHUTDOWN),
        user_data("userData", encoded=True),
        *METADATA_OPTIONS,
        device_failures,
        _tag_specifications,
    ),
    presence=(one_at_most(["defaultVersion", "updateDefaultVersion"]), _groups_in_one_place),
)

TYPES = (LAUNCH_TEMPLATE,)
