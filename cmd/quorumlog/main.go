// Command quorumlog runs a replicated log that repairs itself, and works with one.
//
//	main.go   the process: signals, and what it is attached to
//	root.go   the command that the others hang from
//	flags.go  what can be set; file.go: by a YAML file; settle.go: flags > environment > file > defaults
//	exit.go   what the exit code says
//	output.go, progress.go   what people and programs are shown
//	the rest  one file per command
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx := interruptible(context.Background())
	os.Exit(run(ctx, os.Args[1:], standard()))
}

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// interruptible returns a context that SIGINT or SIGTERM ends. The second signal ends the process: whoever asks twice
// does not want to wait.
func interruptible(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals
		os.Exit(exitFailed)
	}()
	return ctx
}

// console is what the process is attached to.
type console struct {
	in          io.Reader
	out, err    io.Writer
	outTerminal bool
	errTerminal bool
	environment func(name string) (value string, found bool)
}

func standard() console {
	return console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		outTerminal: term.IsTerminal(int(os.Stdout.Fd())), errTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		environment: os.LookupEnv,
	}
}

// colour says whether stderr may be coloured: see no-color.org.
func (c console) colour() bool {
	no, _ := c.environment("NO_COLOR")
	return c.errTerminal && no == ""
}
