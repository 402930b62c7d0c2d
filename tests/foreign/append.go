package foreign

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/messages"
)

// Appender appends entries, each once, one after the other.
type Appender struct {
	System  *actor.ActorSystem
	Members map[uint32]*actor.PID // gateways, by the members' ids
	Writer  uint32                // the member that is asked
	session []byte
	next    uint64 // the number of the next entry in the session
	since   uint64 // up to which position nothing of the session can be in the log
}

// Append returns the position of an entry. After Failed it is not in the log; after another error it may be, or come to be.
func (a *Appender) Append(ctx context.Context, entry []byte) (position uint64, err error) {
	unclear := false // some attempt may have succeeded
	for ctx.Err() == nil {
		if a.session == nil {
			a.session, a.next = make([]byte, 16), 1
			_, _ = rand.Read(a.session) // it never fails
		}
		response, err := Ask[*messages.AppendResponse](a.System, a.Members[a.Writer], &messages.AppendRequest{
			Request: mathrand.Uint64(), Entries: [][]byte{entry}, Session: a.session, Sequence: a.next, Since: a.since, Resolve: unclear,
		}, 2*time.Second)
		failure := response.GetFailure()
		switch {
		case err == nil && failure == nil:
			a.next++
			return response.GetRange().GetFirst(), nil
		case err != nil, failure.GetCode() == messages.Code_CODE_INDETERMINATE:
			unclear = true // and asked again, under the same number, it is in the log once
			a.elsewhere()
		case failure.GetCode() == messages.Code_CODE_NOT_ELECTED && a.Members[failure.GetWriter()] != nil:
			a.Writer = failure.GetWriter()
		case failure.GetCode() == messages.Code_CODE_SESSION_EVICTED && !unclear:
			a.session, a.since = nil, failure.GetSince() // nothing of this entry is in the log: it goes into another session
		case !Again(failure):
			a.session = nil
			return 0, Failed{failure}
		default:
			a.elsewhere()
		}
		pause(ctx)
	}
	a.session = nil // its number may be taken, or not
	return 0, fmt.Errorf("the outcome is unknown: %w", ctx.Err())
}

// elsewhere asks another member next.
func (a *Appender) elsewhere() {
	for id := range a.Members {
		if id != a.Writer {
			a.Writer = id
			return
		}
	}
}

// Again says whether another member, or the same one later, may do what this one could not.
func Again(f *messages.Failure) bool {
	switch f.GetCode() {
	case messages.Code_CODE_NOT_ELECTED, messages.Code_CODE_NOT_VOTING, messages.Code_CODE_NO_QUORUM, messages.Code_CODE_BUSY,
		messages.Code_CODE_CLOSED, messages.Code_CODE_CORRUPT:
		return true
	default:
		return false
	}
}

func pause(ctx context.Context) {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
	}
}
