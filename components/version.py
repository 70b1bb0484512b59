"""The version of the components, for the package of components and for pip alike."""

VERSION = "0.1.1"
