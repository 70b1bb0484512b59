"""An image, built and pushed; on AWS by Docker, in the embedded cloud without."""

from pathlib import Path

import pulumi
from teal_components import AppImage, Registry

registry = Registry("images", {"force_delete": True})
app = AppImage(
    "app",
    {
        "repository_url": registry.repository_url,
        "context": str(Path(__file__).parent.parent / "app"),
        "version": "1.0.0",
    },
)

pulumi.export("image", app.image)
