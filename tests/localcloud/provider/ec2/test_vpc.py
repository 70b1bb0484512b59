from typing import Any

VPC = "aws:ec2/vpc:Vpc"
INPUTS = {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "tags": {"Team": "shop"}}


def test_a_vpc_lives_and_tells_its_arn(engine: Any) -> None:
    vpc = engine.create(VPC, INPUTS)
    assert vpc.outputs["arn"] == f"arn:aws:ec2:eu-west-1:123456789012:vpc/{vpc.id}"
    assert vpc.outputs["defaultSecurityGroupId"].startswith("sg-")
    vpc.update(tags={"Team": "till"}, enableDnsHostnames=False)
    vpc.delete()


def test_a_new_cidr_needs_a_new_vpc(engine: Any) -> None:
    assert engine.create(VPC, INPUTS).diff(cidrBlock="10.1.0.0/16").replaces == ("cidrBlock",)


def test_tags_changed_behind_our_back_are_seen(engine: Any) -> None:
    vpc = engine.create(VPC, INPUTS)
    engine.api.call("ec2", "create_tags", Resources=[vpc.id], Tags=[{"Key": "Stray", "Value": "1"}])
    assert vpc.refresh()["tags"] == {"Team": "shop", "Stray": "1"}


def test_a_vpc_that_is_too_large_is_refused(engine: Any) -> None:
    assert "outside the sizes" in engine.refusals(VPC, {"cidrBlock": "10.0.0.0/8"})["cidrBlock"]


def test_a_property_that_nothing_applies_is_refused(engine: Any) -> None:
    assert "does not apply property ipv6CidrBlock of aws:ec2/vpc:Vpc" in str(
        engine.refusals(VPC, {**INPUTS, "ipv6CidrBlock": "::/56"})
    )


def test_an_import_finds_what_was_declared(engine: Any) -> None:
    vpc = engine.create(VPC, INPUTS)
    assert INPUTS.items() <= vpc.imported().items()
