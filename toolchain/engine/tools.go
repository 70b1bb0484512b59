//go:build tools

// Package toolchain names the two programs that go.mod pins the modules of; nothing compiles this file.
package toolchain

import (
	_ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
)
