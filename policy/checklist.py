"""The security checklist, row by row: what it is called elsewhere, and what of it no resource tells."""

from dataclasses import dataclass

from policy.rule import Rule, Scope


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name in the standards, and what a rule about resources cannot see of it."""

    number: int
    standard: str
    """Ids of AWS's Foundational Security Best Practices; others where these have none."""
    left: str = ""


CHECKLIST = (
    Row(1, "EC2.2"),
    Row(2, "EC2.6"),
    Row(3, "EC2.15"),
    Row(4, "EC2.18"),
    Row(5, "EC2.19"),
    Row(6, "EC2.21", "the default ACL of a VPC that no stack has adopted"),
    Row(7, "EC2.16"),
    Row(8, "CKV_AWS_23, CKV_AWS_382"),
    Row(9, "EC2.10"),
    Row(10, "EC2.55, EC2.56, EC2.57"),
    Row(11, "EC2.172", "whether the region has the block at all: one stack owns it for the whole account"),
    Row(12, "EC2.8, EC2.170"),
    Row(13, "CKV_AWS_341"),
    Row(14, "EC2.9, EC2.25"),
    Row(15, "EC2.3, EC2.7, EC2.181", "the account's default, where no stack declares it"),
    Row(16, "EC2.17"),
    Row(17, "EC2.180"),
    Row(18, "EC2.4", "servers that somebody stopped by hand"),
    Row(19, "CKV_AWS_46"),
    Row(20, "AutoScaling.1"),
    Row(21, "AutoScaling.2"),
    Row(22, "AutoScaling.6"),
    Row(23, "AutoScaling.9"),
    Row(24, "ELB.1"),
    Row(25, "ELB.4"),
    Row(26, "ELB.5"),
    Row(27, "ELB.6"),
    Row(28, "ELB.12"),
    Row(29, "ELB.13"),
    Row(30, "ELB.17"),
    Row(31, "ELB.18"),
    Row(32, "ELB.21, ELB.22"),
    Row(33, "ELB.16", "web ACLs that another stack or a firewall manager associates"),
    Row(34, "CKV_AWS_261"),
    Row(35, "ECR.1", "what a scan found"),
    Row(36, "ECR.2"),
    Row(37, "ECR.3", "whether the tag that protects a live image is set: a release sets it"),
    Row(38, "CKV_AWS_32, CKV_AWS_136"),
    Row(39, "IAM.1, IAM.21"),
    Row(40, "IAM.2"),
    Row(41, "KMS.1, KMS.2"),
    Row(42, "KMS.3, KMS.4, KMS.5", "a deletion that was scheduled by hand"),
    Row(43, "S3.1, S3.2, S3.3, S3.8"),
    Row(44, "S3.5"),
    Row(45, "S3.9, S3.12, S3.13"),
    Row(46, "CKV_AWS_145"),
    Row(47, "CKV_AWS_66, 158, 319, 338"),
    Row(48, "SSM.1, SSM.2, SSM.3", "whether patches and associations are applied: only the running server tells"),
    Row(49, "SecretsManager.1 to 4, SNS.4", "whether the last rotation worked, and whether anybody reads the secret"),
    Row(50, "ECS.3, 4, 5, 8, 9"),
    Row(
        51,
        "ACM, Config, CloudTrail, GuardDuty, Inspector",
        "all of it: services of the account and of its region, which no environment owns; they must be on before",
    ),
)
WHERE = {
    Scope.RESOURCE: "each resource, before it is made",
    Scope.STACK: "the stack, at the end",
}


def table(rules: tuple[Rule, ...]) -> str:
    """The checklist in Markdown: row, rule, what it asks for, where it is enforced, what is left."""
    lines = [
        "| row | standard | rule | asks that | looks at | not decided from resources |",
        "|---|---|---|---|---|---|",
    ]
    for row in CHECKLIST:
        own = [rule for rule in rules if rule.row == row.number]
        for rule in own:
            left = row.left if rule is own[-1] else ""
            lines.append(
                f"| {row.number} | {row.standard} | `{rule.id}` | {rule.title} | {WHERE[rule.scope]} | {left} |"
            )
        if not own:
            lines.append(f"| {row.number} | {row.standard} | none | | | {row.left} |")
    return "\n".join(lines)
