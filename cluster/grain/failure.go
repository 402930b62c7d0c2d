package grain

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// What a request may end with, besides the errors of package actors/persistence: compare with errors.Is.
var (
	// ErrNotServed: the request did not reach the grain, which was not activated, or had ended. Ask again.
	ErrNotServed = errors.New("the grain was not asked")
	// ErrPanicked: the grain panicked over the request. What it had persisted until then is in its journal.
	ErrPanicked = errors.New("the grain panicked")
)

// The keys of a refusal's metadata, and the value that says that the grain was not asked.
const (
	why     = "quorumlog.why"
	where   = "quorumlog.asked"
	unasked = "no"
	wasIt   = "yes"
)

// class is a kind of error as it is told across processes: by a name of ours, and by the nearest reason of the cluster module's, for
// callers that know no other.
type class struct {
	is     error
	name   string
	reason string
}

func classes() []class {
	return []class{
		{persistence.ErrFenced, "fenced", virtual.ErrorReason_ABORTED},
		{persistence.ErrOrder, "order", virtual.ErrorReason_ABORTED},
		{persistence.ErrTooLarge, "too-large", virtual.ErrorReason_INVALID_ARGUMENT},
		{persistence.ErrUnknown, "unknown", virtual.ErrorReason_UNAVAILABLE},
		{ErrPanicked, "panicked", virtual.ErrorReason_INTERNAL},
	}
}

// Refuse answers with an error, so that whoever asked can tell what it is (Failure): a grain says so that it could not persist. Whoever
// did not ask for an answer gets none.
func Refuse(ctx actor.Context, err error) { refuse(ctx, err, wasIt) }

func refuse(ctx actor.Context, err error, asked string) {
	if ctx.Sender() == nil {
		return
	}
	answer := virtual.NewGrainErrorResponse(virtual.ErrorReason_UNAVAILABLE, err.Error()).WithMetadata(map[string]string{where: asked})
	for _, c := range classes() {
		if errors.Is(err, c.is) {
			answer.Reason, answer.Metadata[why] = c.reason, c.name
			break
		}
	}
	ctx.Respond(answer)
}

// Failure is the error that an answer is, as errors.Is knows it: one of package actors/persistence, or of this one. It is nil where the
// answer is none.
func Failure(answer any) error {
	refused, is := answer.(*virtual.GrainErrorResponse)
	if !is {
		return nil
	}
	err := &refusal{text: refused.GetMessage(), is: []error{refused}}
	if refused.GetMetadata()[where] == unasked {
		err.is, err.text = append(err.is, ErrNotServed), fmt.Sprintf("%s: %s", ErrNotServed, err.text)
	}
	for _, c := range classes() {
		if refused.GetMetadata()[why] == c.name {
			err.is = append(err.is, c.is)
		}
	}
	return err
}

// refusal is what a grain, or whoever stood for it, answered.
type refusal struct {
	text string
	is   []error
}

// Error implements error.
func (r *refusal) Error() string { return r.text }

// Unwrap has errors.Is find what it is.
func (r *refusal) Unwrap() []error { return r.is }
