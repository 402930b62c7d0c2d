package main

import (
	"os/exec"
	"syscall"
)

// bindToParent has the system kill the process when the thread that starts it ends. The process has a group of its own: a
// Ctrl-C on the terminal is for the demo, which ends its processes itself.
func bindToParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
