"""Where the pipeline's roles may act: ARNs of what the program makes, by the names that Pulumi begins them with."""

LOAD_BALANCER = "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/web-alb-*"
TARGET_GROUPS = "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/web-*"
LISTENERS = "arn:aws:elasticloadbalancing:{region}:{account}:listener/app/web-alb-*"
RULES = "arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/web-alb-*"
SERVERS = ("blue", "green", "swarm-managers", "swarm-workers")
"""Fleets, or the two kinds of a swarm's nodes: what begins the names of their groups, roles and profiles."""
GROUPS = tuple(
    f"arn:aws:autoscaling:{{region}}:{{account}}:autoScalingGroup:*:autoScalingGroupName/{servers}-group-*"
    for servers in SERVERS
)
TABLES = "arn:aws:dynamodb:{region}:{account}:table/ledger-table-*"
SNAPSHOTS = ("arn:aws:ec2:{region}::snapshot/*",)
REPOSITORIES = "arn:aws:ecr:{region}:{account}:repository/app-images-*"
SERVER_ROLES = tuple(f"arn:aws:iam::{{account}}:role/{servers}-role-*" for servers in SERVERS)
NAT_ROLES = ("arn:aws:iam::{account}:role/main-nat-role-*",)
FLOW_LOG_ROLES = ("arn:aws:iam::{account}:role/main-flow-log-role-*",)
ROLES = SERVER_ROLES + NAT_ROLES + FLOW_LOG_ROLES
PROFILES = tuple(f"arn:aws:iam::{{account}}:instance-profile/{name}-profile-*" for name in (*SERVERS, "main-nat"))
BUCKETS = "arn:aws:s3:::web-logs-*"
LOG_GROUPS = tuple(
    f"arn:aws:logs:{{region}}:{{account}}:log-group:{name}" for name in ("main-flow-log-group-*", "web-app-*")
)
TOPICS = "arn:aws:sns:{region}:{account}:web-alarms-*"
ALARMS = "arn:aws:cloudwatch:{region}:{account}:alarm:web-*"
DASHBOARDS = "arn:aws:cloudwatch::{account}:dashboard/{project}-{environment}-web"
PARAMETERS = "arn:aws:ssm:{region}:{account}:parameter/teal/{environment}"
SWARM_PARAMETERS = PARAMETERS + "/swarm/*"
APP_SECRETS = "arn:aws:ssm:{region}:{account}:parameter/teal-app/{environment}"
PUBLIC_PARAMETERS = "arn:aws:ssm:{region}::parameter/aws/service/ami-amazon-linux-latest/*"
ZONES = "arn:aws:route53:::hostedzone/{zone}"
VOLUMES = "arn:aws:ec2:{region}:{account}:volume/*"
INSTANCES = "arn:aws:ec2:{region}:{account}:instance/*"
KEYS = "arn:aws:kms:{region}:{account}:key/*"
CERTIFICATES = "arn:aws:acm:{region}:{account}:certificate/*"
PIPELINE = (
    "arn:aws:iam::{account}:role/{project}-pipeline/*",
    "arn:aws:iam::{account}:policy/{project}-pipeline/*",
)
"""The roles themselves: their path tells them from all others."""
PROVIDER = ("arn:aws:iam::{account}:oidc-provider/*",)
SESSIONS = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
OURS = {
    "StringEquals": {
        "aws:ResourceTag/Project": ("{project}",),
        "aws:ResourceTag/Environment": ("{environment}",),
    }
}
"""Only what bears the tags that the program puts on all that it makes."""
TO_BE_OURS = {
    "StringEquals": {
        "aws:RequestTag/Project": ("{project}",),
        "aws:RequestTag/Environment": ("{environment}",),
    }
}
"""Only what gets those tags as it is made."""
HERE = {"StringEquals": {"aws:RequestedRegion": ("{region}",)}}
"""For what has no name beforehand."""
RARE = "no setting of the recorded walk changes it; another change of the program may"
"""Why an action is there that nobody was seen to call."""
NO_VOLUME = "the recorded walk has no data volume"
BOUNDED = {"StringEquals": {"iam:PermissionsBoundary": ("{boundary}",)}}
"""Only roles with the servers' boundary, where there is one."""
