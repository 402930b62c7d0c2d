package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
)

func newTopCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "top",
		Short: "Watch all members, the log of each, and what happens",
		Long: `Shows on a terminal, and goes on each second: every member with its status, what each has learned of the log, and where
something is missing, who writes, how many entries a second are appended and how long that takes, catch-ups with their
rate and the time left, and what happened last. q ends it.

Without a terminal it prints one table, and with -o json or ndjson one document: that of /api/status of serve --http.

Ends with 0; without a terminal with 3 if fewer than a quorum of the members can be reached and vote.`,
		Example: "  quorumlog top --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101",
		Args:    noArguments,
		RunE:    func(command *cobra.Command, _ []string) error { return p.top(command.Context()) },
	}
	p.addClient(command)
	return command
}

func (p *program) top(ctx context.Context) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	w := board.NewWatcher(client)
	keyboard, isFile := p.in.(*os.File)
	screen, isScreen := p.out.(*os.File)
	if p.output != table || !p.outTerminal || !isFile || !isScreen || !term.IsTerminal(int(keyboard.Fd())) {
		return p.topOnce(ctx, w)
	}
	return p.topOn(ctx, w, keyboard, screen)
}

// topOnce prints one view: the second, since a rate takes two.
func (p *program) topOnce(ctx context.Context, w *board.Watcher) error {
	w.Look(ctx)
	select {
	case <-time.After(topPause):
	case <-ctx.Done():
		return ctx.Err()
	}
	v, _ := w.Look(ctx)
	if p.output != table {
		if err := printJSON(p.out, p.output, v); err != nil {
			return err
		}
	} else if err := p.printTop(v); err != nil {
		return err
	}
	if v.Voting < v.Quorum {
		return notReadyf("%s", standing(v))
	}
	return nil
}

func (p *program) printTop(v board.View) error {
	lines := make([][]string, len(v.Members))
	for i, m := range v.Members {
		lines[i] = topCells(m)
	}
	if err := printTable(p.out, topHeadline, lines); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "%s; %s\n", standing(v), pace(v))
	return err
}

// topPause is how long one view stands.
const topPause = time.Second

// What a terminal is told: to show another page without a cursor, and the former one again; to go to the first line, to clear what is
// behind in a line, and below.
const (
	screenOn  = "\x1b[?1049h\x1b[?25l"
	screenOff = "\x1b[?25h\x1b[?1049l"
	home      = "\x1b[H"
	restOff   = "\x1b[K\r\n"
	belowOff  = "\x1b[J"
)

// topOn shows view after view until q, or the end.
func (p *program) topOn(ctx context.Context, w *board.Watcher, keyboard, screen *os.File) (err error) {
	before, err := term.MakeRaw(int(keyboard.Fd()))
	if err != nil {
		return fmt.Errorf("take over the terminal: %w", err)
	}
	defer func() {
		_, _ = io.WriteString(screen, screenOff) // the terminal may be gone
		err = errors.Join(err, term.Restore(int(keyboard.Fd()), before))
	}()
	if _, err := io.WriteString(screen, screenOn); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	quit := quits(keyboard)
	var v board.View
	for {
		v, _ = w.Look(ctx)
		if err := p.draw(screen, v, w.Events()); err != nil {
			return err
		}
		select {
		case <-time.After(topPause):
		case <-quit:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// quits is closed at q, Escape, ^C or ^D, or where the keyboard is gone. Who reads ends with the process.
func quits(keyboard io.Reader) <-chan struct{} {
	quit := make(chan struct{})
	go func() {
		defer close(quit)
		key := make([]byte, 16)
		for {
			n, err := keyboard.Read(key)
			if err != nil || n == 1 && strings.ContainsAny(string(key[:1]), "qQ\x1b\x03\x04") {
				return
			}
		}
	}()
	return quit
}

// draw shows a view in the window as large as it is now.
func (p *program) draw(screen *os.File, v board.View, events []cluster.Happening) error {
	width, height, err := term.GetSize(int(screen.Fd()))
	if err != nil || width < 20 || height < 5 {
		width, height = 80, 24
	}
	no, _ := p.environment("NO_COLOR")
	colour := no == ""
	var text strings.Builder
	text.WriteString(home)
	for _, l := range topLines(v, events, width, height-1) {
		text.WriteString(l.text(width, colour))
		text.WriteString(restOff)
	}
	text.WriteString(belowOff)
	if _, err := io.WriteString(screen, text.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
