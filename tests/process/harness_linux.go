package process

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the system end the process when the test's own is gone, however that ended.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
