"""The embedded cloud's AWS API: moto, in process, on loopback."""

import os

MOTO_SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # else AWS-managed policies cannot be attached
    "MOTO_ACM_VALIDATION_WAIT": "0",  # seconds until a certificate counts as validated
}
os.environ.update(MOTO_SETTINGS)  # here, since moto reads them when it is first imported, and not again
