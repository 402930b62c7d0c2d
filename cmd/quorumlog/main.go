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
	"sync/atomic"
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
// does not want to wait, unless patiently was called.
func interruptible(parent context.Context) context.Context {
	patient := &atomic.Bool{}
	ctx, cancel := context.WithCancelCause(context.WithValue(parent, patience{}, patient))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		for range signals {
			if !patient.Load() {
				os.Exit(exitFailed)
			}
		}
	}()
	return ctx
}

// patience is the key of what patiently sets in a context.
type patience struct{}

// patiently lets no second signal end the process: what was begun is cleaned up. The signals stay caught, since one that
// comes just when a handler is taken away ends the process.
func patiently(ctx context.Context) {
	if patient, ok := ctx.Value(patience{}).(*atomic.Bool); ok {
		patient.Store(true)
	}
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
