package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// appended is what append prints for a line.
type appended struct {
	Position log.Position `json:"position"`
}

func newAppendCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "append [FILE|-]",
		Short: "Append each line of a file, or of stdin, as an entry",
		Long: `Appends each line, without its end, as one entry of at most 1 MiB, and prints the position of each as it is
acknowledged, in the order of the lines. Lines are sent together as they come in: nothing waits for a line that is not
there yet. A line ends with LF: a CR before it stays in the entry.

Of a file, it shows on stderr how far it is: as a bar on a terminal, and elsewhere only with -o ndjson, as events.

If it fails, it says which lines are in the log, which are not, and which may be.`,
		Example: `  quorumlog append entries.txt
  tail -f events | quorumlog append -o ndjson`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "-" {
				return p.append(command.Context(), p.in, nil)
			}
			return p.appendFile(command.Context(), args[0])
		},
	}
	p.addClient(command)
	return command
}

func (p *program) appendFile(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("append: %w: append takes a file; for one entry: echo TEXT | quorumlog append", err)
	}
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if !info.Mode().IsRegular() { // nobody knows how long it is
		return p.append(ctx, f, nil)
	}
	return p.append(ctx, f, p.progress("append", bytesUnit, uint64(info.Size())))
}

func (p *program) append(ctx context.Context, from io.Reader, bar *progress) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	a := appender{program: p, client: client, bar: bar, rows: newRows(p.out, p.output, func(a appended) []byte {
		return strconv.AppendUint(nil, uint64(a.Position), 10)
	})}
	err = a.all(ctx, gather(ctx, from))
	bar.end()
	return errors.Join(err, a.rows.end())
}

// appender appends one batch after the other, so that the positions are in the order of the lines.
type appender struct {
	*program
	client *cluster.Client
	bar    *progress
	rows   *rows[appended]
	lines  uint64 // acknowledged
	bytes  uint64 // of those lines, with their ends
}

func (a *appender) all(ctx context.Context, in *intake) error {
	for b := range in.batches {
		if err := a.one(ctx, b); err != nil {
			return err
		}
	}
	err := context.Cause(ctx)
	if err == nil {
		err = in.err // it is settled only where the input has ended by itself
	}
	if err != nil {
		return fmt.Errorf("append: %w: %s, and nothing else was sent", err, a.acknowledged())
	}
	return nil
}

func (a *appender) one(ctx context.Context, b batch) error {
	limited, cancel := a.limited(ctx)
	at, err := a.client.AppendBatch(limited, b.entries)
	cancel()
	places := []log.Range{log.Span(at, len(b.entries))}
	var split *cluster.SplitError
	if errors.As(err, &split) && split.Missing == 0 { // all of it is in the log
		places, err = split.Places, nil
	}
	if err != nil {
		return fmt.Errorf("append: %w: %s; %s; nothing after that was sent", err, a.acknowledged(), b.outcome(err))
	}
	a.bar.hide()
	for _, r := range places {
		for at := r.First; at <= r.Last; at++ {
			if err := a.rows.add(appended{at}); err != nil {
				return err
			}
		}
	}
	a.lines += uint64(len(b.entries))
	a.bytes += uint64(b.bytes + len(b.entries))
	err = a.rows.flush()
	a.bar.set(a.bytes)
	return err
}

func (a *appender) acknowledged() string {
	switch a.lines {
	case 0:
		return "no line was acknowledged"
	case 1:
		return "line 1 was acknowledged"
	}
	return fmt.Sprintf("lines 1 to %d were acknowledged", a.lines)
}

// outcome says what became of the batch.
func (b batch) outcome(err error) string {
	which := fmt.Sprintf("lines %d to %d", b.first, b.first+uint64(len(b.entries))-1)
	if len(b.entries) == 1 {
		which = fmt.Sprintf("line %d", b.first)
	}
	if errors.Is(err, cluster.ErrIndeterminate) {
		return which + " may or may not be in the log: read it before you append again"
	}
	return which + " did not get into the log"
}
