package process

import (
	"os/exec"
	"testing"
)

// Launch starts any program, such as one that uses the log, and keeps what it writes. It ends with the test at the latest.
func Launch(t testing.TB, command *exec.Cmd) *Process {
	t.Helper()
	return launch(t, command, (*exec.Cmd).Start)
}

func launch(t testing.TB, command *exec.Cmd, start func(*exec.Cmd) error) *Process {
	t.Helper()
	p := &Process{Stdout: &Output{}, Stderr: &Output{}, t: t, command: command, ended: make(chan struct{})}
	command.Stdout, command.Stderr = p.Stdout, p.Stderr
	dieWithParent(command)
	if err := start(command); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = command.Wait() // the exit code says it all
	}()
	t.Cleanup(p.Kill)
	return p
}
