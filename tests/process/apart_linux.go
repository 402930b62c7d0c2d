package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// The tests of this package run in namespaces of their own where this process may make some: a network without the
// machine's interfaces, and mounts that nobody else sees. Whatever a test makes there, the kernel removes with the process.
const (
	apartVariable   = "QUORUMLOG_TEST_APART"   // why this process is not in namespaces of its own; "yes" if it is
	programVariable = "QUORUMLOG_TEST_PROGRAM" // what was built already
)

// errApart is why nothing can be done that needs namespaces.
var errApart = errors.New("this process has no namespaces of its own")

// runApart runs this program again in namespaces of its own, and returns its exit code. It says false where that cannot
// be: then the caller runs the tests as they are.
func runApart() (code int, ran bool) {
	if os.Getenv(apartVariable) != "" {
		return 0, false
	}
	runtime.LockOSThread() // the process ends with the thread that started it
	defer runtime.UnlockOSThread()
	command, err := again()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		_ = os.Setenv(apartVariable, err.Error()) // whoever needs namespaces says why there are none
		return 0, false
	}
	if err := command.Wait(); err != nil && command.ProcessState.ExitCode() < 1 {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return command.ProcessState.ExitCode(), true
}

// again is this program, with its arguments.
func again() (*exec.Cmd, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path, err := built.make() // here, where the network is: what is missing can be fetched
	if err != nil {
		return nil, err
	}
	command := exec.Command(own, os.Args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), apartVariable+"=yes", programVariable+"="+path)
	command.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL, Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
	}
	if os.Geteuid() != 0 {
		command.SysProcAttr.Unshareflags |= syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return command, nil
}

// settle makes the namespaces of this process usable.
func settle() error {
	if apart() != nil {
		return nil
	}
	return up("lo")
}

// apart says why this process is not in namespaces of its own; nil if it is.
func apart() error {
	if why := os.Getenv(apartVariable); why != "yes" {
		return fmt.Errorf("%w: %s", errApart, why)
	}
	return nil
}
