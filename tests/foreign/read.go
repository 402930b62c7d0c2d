package foreign

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/messages"
)

// Read returns the entries from a position up to all that was acknowledged before, to anybody.
func Read(system *actor.ActorSystem, gateway *actor.PID, from uint64) (entries [][]byte, err error) {
	barrier, err := Ask[*messages.CatchupResponse](system, gateway, &messages.CatchupRequest{Request: rand.Uint64()}, 10*time.Second)
	switch {
	case err != nil:
		return nil, err
	case barrier.GetFailure() != nil:
		return nil, Failed{barrier.GetFailure()}
	}
	for from <= barrier.GetLearned() {
		shown, err := Ask[*messages.ReadResponse](system, gateway, &messages.ReadRequest{
			Request: rand.Uint64(), From: from, To: barrier.GetLearned(),
		}, 2*time.Second)
		switch {
		case err != nil:
			return nil, err
		case shown.GetFailure() != nil: // TRUNCATED says in begin where to go on
			return nil, Failed{shown.GetFailure()}
		}
		for _, action := range shown.GetPage().GetActions() {
			if action.GetValue().GetKind() == messages.Kind_KIND_APPEND {
				entries = append(entries, action.GetValue().GetData())
			}
		}
		from = shown.GetPage().GetRange().GetLast() + 1
	}
	return entries, nil
}
