package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
	"github.com/quorumlog/quorumlog/log"
)

func newEventsCommand(p *program) *cobra.Command {
	var follow bool
	command := &cobra.Command{
		Use:   "events",
		Short: "Show what happened at every member",
		Long: `Asks every member what happened there, and prints it in the order of their clocks: status changes, elections, who was
fenced, catch-ups with their rate and the time left, which members hear each other, damage and failures. A member keeps the
last 1,024 events of its process; where some are gone that nobody has read, it says how many.

With --follow it goes on until it is interrupted, and also says which members stop to answer, and answer again.

Ends with 3 where no member answers.`,
		Example: "  quorumlog events --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101\n  quorumlog events --follow -o ndjson",
		Args:    noArguments,
		RunE:    func(command *cobra.Command, _ []string) error { return p.events(command.Context(), follow) },
	}
	p.addClient(command)
	command.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what happens from now on")
	return command
}

// eventsPause is how long nobody is asked after all were.
const eventsPause = 500 * time.Millisecond

// followPatience is how long a member may take to answer, where it is asked again anyhow.
const followPatience = 2 * time.Second

func (p *program) events(ctx context.Context, follow bool) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	t := newTale(client)
	out := newRows(p.out, p.output, eventLine)
	fresh := t.ask(ctx, p.timeout)
	if len(t.away) == len(client.Members()) {
		return notReadyf("no member answers: %s", t.away[client.Members()[0].ID])
	}
	for {
		for _, e := range fresh {
			if err := out.add(e); err != nil {
				return err
			}
		}
		if !follow {
			return out.end()
		}
		if err := out.flush(); err != nil {
			return err
		}
		select {
		case <-time.After(eventsPause):
		case <-ctx.Done():
			return out.end()
		}
		fresh = t.ask(ctx, min(p.timeout, followPatience))
	}
}

func eventLine(e cluster.Happening) []byte {
	return fmt.Appendf(nil, "%s  %d  %s", e.At.Format("2006-01-02T15:04:05.000Z07:00"), e.Member, sentence(e))
}

// tale is what was read so far of what happened.
type tale struct {
	client *cluster.Client
	marks  map[log.ReplicaID]cluster.Bookmark
	away   map[log.ReplicaID]string // members that do not answer, and why
}

func newTale(c *cluster.Client) *tale {
	return &tale{client: c, marks: make(map[log.ReplicaID]cluster.Bookmark), away: make(map[log.ReplicaID]string)}
}

// part is what one member told.
type part struct {
	events []cluster.Happening
	mark   cluster.Bookmark
	err    error
}

// ask asks every member, all at once, for what happened since the last time.
func (t *tale) ask(ctx context.Context, patience time.Duration) (fresh []cluster.Happening) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	members := t.client.Members()
	parts := make([]part, len(members))
	var group sync.WaitGroup
	for i, m := range members {
		mark := t.marks[m.ID]
		group.Go(func() { parts[i] = t.read(ctx, m.ID, mark) })
	}
	group.Wait()
	for i, m := range members {
		t.marks[m.ID] = parts[i].mark
		fresh = append(append(fresh, parts[i].events...), t.heard(m.ID, parts[i].err)...)
	}
	slices.SortStableFunc(fresh, func(a, b cluster.Happening) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Member, b.Member)) })
	return fresh
}

func (t *tale) read(ctx context.Context, id log.ReplicaID, mark cluster.Bookmark) part {
	told := part{mark: mark}
	for {
		h, err := t.client.HistoryOf(ctx, id, told.mark)
		if err != nil || len(h.Events) == 0 {
			told.err = err
			return told
		}
		if h.Missed > 0 {
			told.events = append(told.events, cluster.Happening{Member: id, At: h.Events[0].At, Kind: board.Missed, Missed: h.Missed})
		}
		told.events, told.mark = append(told.events, h.Events...), h.Next
	}
}

// heard notes whether a member answered, and tells where that is another way than before.
func (t *tale) heard(id log.ReplicaID, err error) []cluster.Happening {
	_, away := t.away[id]
	e := cluster.Happening{Member: id, At: time.Now().UTC(), Kind: reachable}
	switch {
	case err != nil && !away:
		e.Kind, e.Detail = unreachable, err.Error()
		t.away[id] = e.Detail
	case err == nil && away:
		delete(t.away, id)
	default:
		return nil
	}
	return []cluster.Happening{e}
}
