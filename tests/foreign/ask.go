package foreign

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

// Failed is an answer that says why not.
type Failed struct{ *messages.Failure }

// Error implements error.
func (f Failed) Error() string { return fmt.Sprintf("%s: %s", f.GetCode(), f.GetDetail()) }

// answer is what every answer has: the number of the request.
type answer interface {
	proto.Message
	GetRequest() uint64
}

// Ask sends a request once, and waits for its answer. What was asked before, or by a process before this one, is not its answer.
func Ask[A answer](system *actor.ActorSystem, to *actor.PID, request answer, patience time.Duration) (a A, err error) {
	said, err := system.Root.RequestFuture(to, request, patience).Result()
	if err != nil {
		return a, fmt.Errorf("%s does not answer: %w", to.GetAddress(), err)
	}
	a, ok := said.(A)
	if !ok || a.GetRequest() != request.GetRequest() {
		return a, fmt.Errorf("%s answered something else: %T", to.GetAddress(), said)
	}
	return a, nil
}
