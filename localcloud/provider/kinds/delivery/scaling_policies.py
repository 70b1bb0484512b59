"""Scaling policies of Auto Scaling groups: target tracking, and simple steps."""

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, at, no_other_keys, whole
from localcloud.provider.values import Properties

CONFIGURED = frozenset(
    {
        *("policyType", "targetTrackingConfiguration", "adjustmentType", "scalingAdjustment", "cooldown"),
        *("estimatedInstanceWarmup", "metricAggregationType", "minAdjustmentMagnitude", "stepAdjustments"),
    }
)
METRIC_KINDS = ("predefinedMetricSpecification", "customizedMetricSpecification")
STEP_NAMES = {
    "metricIntervalLowerBound": "MetricIntervalLowerBound",
    "metricIntervalUpperBound": "MetricIntervalUpperBound",
}
PREDEFINED = (
    *("ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut"),
    "ALBRequestCountPerTarget",
)


def _puts(change: Change) -> None:
    configured = change.parameters("put_scaling_policy", CONFIGURED)
    group = change.inputs["autoscalingGroupName"]
    change.call("put_scaling_policy", AutoScalingGroupName=group, PolicyName=change.id, **configured)


def _deletes(change: Change) -> None:
    change.call("delete_policy", AutoScalingGroupName=change.inputs["autoscalingGroupName"], PolicyName=change.id)


def _tracking(inputs: Properties) -> Failures:
    name, kind = "targetTrackingConfiguration", inputs.get("policyType")
    if (kind == "TargetTrackingScaling") != (name in inputs):
        given = "it" if name in inputs else "nothing"
        yield (
            name,
            f"{name} must be given just where policyType is TargetTrackingScaling; policyType is {kind}, got {given}",
        )


def _metric(inputs: Properties) -> Failures:
    name = "targetTrackingConfiguration"
    tracked = inputs.get(name)
    if tracked is None:
        return
    given = [kind for kind in METRIC_KINDS if kind in tracked]
    if len(given) != 1:
        yield name, f"{name} must have one of {' and '.join(METRIC_KINDS)}, got {len(given)}"
    if float(tracked.get("targetValue") or 0) <= 0:
        yield f"{name}.targetValue", f"{name}.targetValue must be more than 0, got {tracked.get('targetValue')}"
    predefined = f"{name}.predefinedMetricSpecification"
    kind = at(inputs, f"{predefined}.predefinedMetricType")
    if kind == "ALBRequestCountPerTarget" and not at(inputs, f"{predefined}.resourceLabel"):
        yield f"{predefined}.resourceLabel", f"{predefined}.resourceLabel must be given with {kind}, got nothing"


POLICY = AwsType(
    token="aws:autoscaling/policy:Policy",
    service="autoscaling",
    properties={
        "name": Prop(at="PolicyName"),
        "autoscalingGroupName": Prop(required=True, replaces=True),
        "policyType": Prop(default="SimpleScaling"),
        "targetTrackingConfiguration": Prop(names={"metricDimensions": "Dimensions"}, resettable=True),
        "adjustmentType": Prop(resettable=True),
        "scalingAdjustment": Prop(resettable=True),
        "cooldown": Prop(resettable=True),
        "estimatedInstanceWarmup": Prop(resettable=True),
        "metricAggregationType": Prop(resettable=True),
        "minAdjustmentMagnitude": Prop(resettable=True),
        "stepAdjustments": Prop(names=STEP_NAMES, resettable=True),
    },
    create=Create("put_scaling_policy", lambda change, _: str(change.inputs["name"])),
    reads=(
        Read("describe_policies", lambda change: {"PolicyNames": [change.id]}, "ScalingPolicies[0]"),
    ),
    steps=(Step(CONFIGURED, _puts),),
    delete=_deletes,
    outputs={"arn": "PolicyARN"},
    name=AutoName("name", 255),
    rules=(
        among("policyType", "SimpleScaling", "StepScaling", "TargetTrackingScaling"),
        among("adjustmentType", "ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"),
        no_other_keys("targetTrackingConfiguration", *METRIC_KINDS, "targetValue", "disableScaleIn"),
        among("targetTrackingConfiguration.predefinedMetricSpecification.predefinedMetricType", *PREDEFINED),
        whole("cooldown", 0, 86400),
        whole("estimatedInstanceWarmup", 0, 3600),
        _metric,
    ),
    presence=(_tracking,),
)  # fmt: skip

TYPES = (POLICY,)
