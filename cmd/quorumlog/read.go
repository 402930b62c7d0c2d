package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// entry is what read prints for a position.
type entry struct {
	Position log.Position `json:"position"`
	Data     []byte       `json:"data"` // base64
}

// newEntry makes an entry without bytes print as "", and not as null.
func newEntry(e cluster.Entry) entry { return entry{e.Position, append([]byte{}, e.Data...)} }

// reading is what to read, and how to print it.
type reading struct {
	from, to log.Position // 0: from the beginning, to the end
	follow   bool
	text     bool
	latest   bool // what was acknowledged before the command is seen, also by a range with an end
}

func newReadCommand(p *program) *cobra.Command {
	var r reading
	command := &cobra.Command{
		Use:   "read",
		Short: "Print the entries of the log",
		Long: `Prints the entries from --from to --to, both inclusive; without them, all of the log, everything that was
acknowledged before the command among it. Each line is a position, a tab, and the entry, quoted where it cannot be
printed as it is. --text prints the entries alone, as they are.

A range with an end is read from any member that knows all of it. With --linearizable a quorum is asked first, as it is without
--to: what a member has not heard of yet is seen, and where the log ends before --to, it did so after the command began.

--follow goes on with another member where the one that it reads from is gone; nothing is skipped, and nothing printed twice.

Positions without an entry (a truncation, or a position that nobody used) are skipped.

In JSON and NDJSON the entry is base64.

With --data it reads one replica's directory, whose member must be stopped first: the entries that this replica has
learned, which need not be all.`,
		Example: `  quorumlog read --from 100 --to 199
  quorumlog read --follow -o ndjson
  quorumlog read --data /var/lib/quorumlog --text`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return p.read(command, r)
		},
	}
	p.addClient(command)
	p.addData(command, "read this data `directory` instead of a running log", false)
	addPosition(command, &r.from, "from", "the first `position` to print")
	addPosition(command, &r.to, "to", "the last `position` to print")
	command.Flags().BoolVarP(&r.follow, "follow", "f", false, "wait for more, until interrupted")
	command.Flags().BoolVar(&r.text, "text", false, "print only the entries, as they are")
	command.Flags().BoolVar(&r.latest, "linearizable", false, "ask a quorum what was acknowledged before the command, also with --to")
	return command
}

func (p *program) read(command *cobra.Command, r reading) error {
	switch {
	case r.to != 0 && r.from > r.to:
		return usagef("--from %d is behind --to %d", r.from, r.to)
	case r.text && p.output != table:
		return usagef("--text and -o %s are two ways to print: choose one", p.output)
	case r.follow && command.Flags().Changed("data"):
		return usagef("--follow needs a running log: --data %s is none", p.data)
	case r.latest && command.Flags().Changed("data"):
		return usagef("--linearizable needs a running log: --data %s is none", p.data)
	}
	out := newRows(p.out, p.output, r.line)
	err := p.readInto(command, r, out)
	if errors.Is(err, context.Canceled) && r.follow {
		err = nil // that is how following ends
	}
	if err != nil {
		err = fmt.Errorf("read: %w", err)
	}
	return errors.Join(err, out.end())
}

func (p *program) readInto(command *cobra.Command, r reading, out *rows[entry]) error {
	if command.Flags().Changed("data") {
		return p.readOffline(r, out)
	}
	client, err := p.client(command.Context())
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	if r.follow {
		reader := client.Reader()
		if err := p.begun(command.Context(), reader, r); err != nil {
			return err
		}
		return p.follow(command.Context(), reader, r, out)
	}
	return p.readOnline(command.Context(), client.Reader(), r, out)
}

// readOnline reads what is asked for; without an end, up to the last position at the time of the command.
func (p *program) readOnline(ctx context.Context, reader *cluster.Reader, r reading, out *rows[entry]) error {
	begin, last, err := p.bounds(ctx, reader, r.to, r.latest)
	if err != nil {
		return err
	}
	if r.to != 0 && r.to < begin {
		return truncatedTo(begin)
	}
	if r.from == 0 {
		r.from = begin
	}
	through := last
	if r.to != 0 {
		through = min(r.to, last)
	}
	if err := p.readRange(ctx, reader, r.from, through, out); err != nil {
		return err
	}
	switch {
	case r.to <= last:
		return nil
	case last < begin:
		return errors.New("the log is empty: use --follow to wait for entries")
	}
	return fmt.Errorf("the log ends at %d: read up to there, or use --follow", last)
}

func truncatedTo(begin log.Position) error {
	return fmt.Errorf("%w: the log begins at position %d: read from there", cluster.ErrTruncated, begin)
}

func (p *program) readRange(ctx context.Context, reader *cluster.Reader, from, to log.Position, out *rows[entry]) error {
	if from > to {
		return nil
	}
	for e, err := range reader.Read(ctx, from, to) {
		if err != nil {
			return err
		}
		if err := out.add(newEntry(e)); err != nil {
			return err
		}
	}
	return nil
}

// bounds returns what there is to read. What a replica has learned stays as it is, so that a range with an end needs no
// quorum if the replica has all of it.
func (p *program) bounds(ctx context.Context, reader *cluster.Reader, to log.Position, latest bool) (begin, last log.Position, err error) {
	limited, cancel := p.limited(ctx)
	defer cancel()
	if to != 0 && !latest {
		if begin, last, err = reader.Bounds(limited); err == nil && to <= last {
			return begin, last, nil
		}
	}
	if _, err := reader.Barrier(limited); err != nil {
		return 0, 0, err
	}
	return reader.Bounds(limited)
}

// begun has a reader see what it must have seen before it follows, and returns an error if the log begins behind the end of what
// is asked for.
func (p *program) begun(ctx context.Context, reader *cluster.Reader, r reading) error {
	limited, cancel := p.limited(ctx)
	defer cancel()
	if r.latest {
		if _, err := reader.Barrier(limited); err != nil {
			return err
		}
	}
	if r.to == 0 {
		return nil
	}
	begin, _, err := reader.Bounds(limited)
	if err == nil && r.to < begin {
		err = truncatedTo(begin)
	}
	return err
}

// follow prints what there is and what comes, whichever member tells it, while any does.
func (p *program) follow(ctx context.Context, reader *cluster.Reader, r reading, out *rows[entry]) error {
	for {
		var last error
		for e, err := range reader.Tail(ctx, r.from) {
			last = err
			if err != nil || r.to != 0 && e.Position > r.to {
				break
			}
			if err := errors.Join(out.add(newEntry(e)), out.flush()); err != nil || e.Position == r.to {
				return err
			}
			r.from = e.Position + 1
		}
		if !isAny(last, context.DeadlineExceeded, cluster.ErrNotVoting) || errors.Is(last, cluster.ErrNoQuorum) {
			return last
		}
	}
}

// line is how people are shown an entry.
func (r reading) line(e entry) []byte {
	if r.text {
		return e.Data
	}
	line := append(strconv.AppendUint(nil, uint64(e.Position), 10), '\t')
	if !printable(e.Data) {
		return strconv.AppendQuote(line, string(e.Data))
	}
	return append(line, e.Data...)
}

// printable says whether an entry can be told from what is around it, and does nothing to a terminal. One that begins with
// a quotation mark looks like one that was quoted.
func printable(data []byte) bool {
	if !utf8.Valid(data) || len(data) > 0 && data[0] == '"' {
		return false
	}
	for _, r := range string(data) {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
