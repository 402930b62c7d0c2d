package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// Happening is something that happened at one member, as the member keeps it. Its JSON names, and the kinds, are a contract.
type Happening struct {
	Member   log.ReplicaID    `json:"member"`
	Sequence uint64           `json:"sequence"`       // 1 for the first of the member's process, and so on
	At       time.Time        `json:"at"`             // by the member's clock
	Kind     string           `json:"kind"`           // see the constants of package actors/measure
	From     string           `json:"from,omitempty"` // a status or a proposal, as the kind has it
	To       string           `json:"to,omitempty"`   // the same
	Peer     log.ReplicaID    `json:"peer,omitempty"`
	Detail   string           `json:"detail,omitempty"` // for people
	Catchup  *CatchupProgress `json:"catchup,omitempty"`
	Missed   uint64           `json:"missed,omitempty"` // of the kind missed: how many events the member does not keep any more
}

// Bookmark is up to where a member's history was read. The zero Bookmark is before its beginning.
type Bookmark struct {
	life, sequence uint64
}

// History is a part of what happened at a member.
type History struct {
	Events []Happening
	Missed uint64   // events before these that the member does not keep any more
	Next   Bookmark // to go on from
}

// HistoryOf asks a member what happened there after a bookmark: at most 128 events. It keeps the last 1,024 of its process; where
// that was started again meanwhile, its history is told from its beginning. Ask again until there are none.
func (c *Client) HistoryOf(ctx context.Context, id log.ReplicaID, after Bookmark) (History, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	m, ok := c.member(id)
	if !ok {
		return History{}, fmt.Errorf("no member has the id %d", id)
	}
	answer, err := c.retry(ctx, m, func(request uint64) proto.Message {
		return &messages.EventsRequest{Request: request, Life: after.life, After: after.sequence}
	})
	if err != nil {
		return History{}, fmt.Errorf("ask what happened: %w", err)
	}
	page, ok := answer.(*messages.EventsResponse)
	if !ok {
		return History{}, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	}
	return newHistory(m, after, page), nil
}

func newHistory(m Member, after Bookmark, page *messages.EventsResponse) History {
	next := Bookmark{life: page.GetLife()}
	if after.life == next.life {
		next.sequence = after.sequence
	}
	h := History{Missed: page.GetMissed()}
	for _, e := range page.GetEvents() {
		if e.GetSequence() <= next.sequence {
			continue
		}
		next.sequence = e.GetSequence()
		h.Events = append(h.Events, newHappening(m, e))
	}
	h.Next = next
	return h
}

func newHappening(m Member, e *messages.Event) Happening {
	out := Happening{
		Member: m.ID, Sequence: e.GetSequence(), At: time.UnixMicro(e.GetAtUnixMicros()).UTC(), Kind: printable(e.GetKind()),
		From: printable(e.GetFrom()), To: printable(e.GetTo()), Peer: log.ReplicaID(e.GetPeer()), Detail: printable(e.GetDetail()),
	}
	if e.GetProgress() != nil {
		p := newProgress(e.GetProgress())
		out.Catchup = &p
	}
	return out
}

// printable is a text of another process without what would move the cursor of a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
