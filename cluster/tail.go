package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// tailWait is how long a member keeps a question for what comes next, and tailSlack how much later its answer counts.
const (
	tailWait  = time.Second
	tailSlack = ping
)

// Tail yields the entries from a position on, and waits for more, until the context ends or the consumer stops. From 0 begins with
// the log. It has no gap and shows nothing twice, also where it goes on with another member; where the log was truncated
// above what it has read, it ends with ErrTruncated, which says where to go on. It asks for a page once the last one is consumed, so
// that a consumer may take its time: nothing is kept for it but that page.
//
// The member answers as soon as it has learned something: the one that writes at once, the others with its next message. It
// ends with an error, too, where nobody could be read for 30 s; that of a reader of one member (ReaderOf) ends as soon as that member
// answers that it cannot be read, or, where it does not vote, after a few tries.
func (r *Reader) Tail(ctx context.Context, from log.Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			p, err := r.next(ctx, from)
			switch {
			case errors.Is(err, context.Canceled):
				return
			case err != nil:
				yield(Entry{}, err)
				return
			case !p.yield(yield):
				return
			case !p.covered.Empty():
				from = p.covered.Last + 1
			}
		}
	}
}

// next reads what comes at a position, or nothing where nothing does for a while.
func (r *Reader) next(ctx context.Context, from log.Position) (p page, err error) {
	return r.poll(ctx, from, 0)
}

// poll reads from one position to another, or to what is learned where that is 0, once a member can.
func (r *Reader) poll(ctx context.Context, from, to log.Position) (p page, err error) {
	limited, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	err = r.insist(limited, func(m Member) error {
		once, stop := context.WithTimeout(limited, tailWait+tailSlack)
		defer stop()
		answer, err := r.client.conn.ask(once, r.client.gateway(m), func(n uint64) proto.Message {
			return &messages.ReadRequest{Request: n, From: uint64(from), To: uint64(to), Seen: uint64(r.Seen()), WaitMicros: uint64(tailWait.Microseconds())}
		})
		if err != nil {
			return fmt.Errorf("read from position %d: member %d at %s does not answer: %w", from, m.ID, m.Address, err)
		}
		p, err = r.turned(m, answer)
		return err
	})
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return p, err
}
