//go:build !linux

package main

import "os/exec"

// bindToParent does nothing: only Linux kills a process when its parent is killed. Elsewhere the demo's processes end with
// the demo in every other case, a panic included.
func bindToParent(*exec.Cmd) {}
