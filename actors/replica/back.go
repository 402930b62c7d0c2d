package replica

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/messages"
)

// unsure is a replica that voted before its process started. Its disk may have been rolled back, which only its peers can
// tell: until they had their say it gives no vote, and takes none back. What it is asked waits. What it only notes it notes on that
// disk all the same, such as who the members are: it is true whatever the disk was, and whoever was not told could not be heard.
type unsure struct {
	is    bool
	local []asked // by actors of this process, the last one of each: nobody asks again for them
	held  []asked // by other processes
}

// asked is a question that waits, and who asked it.
type asked struct {
	question any
	by       *actor.PID
}

// maxHeld is how many questions of other processes wait. Whoever asks more asks again.
const maxHeld = 64

// postpone keeps a question that changes the disk, or that the disk is the answer to, and says whether it did.
func (r *replica) postpone(ctx actor.Context) bool {
	m := ctx.Message()
	switch m.(type) {
	case *messages.PromiseRequest, *messages.WriteRequest, *messages.LearnedMessage, *messages.RecoverRequest,
		*messages.FrontierRequest, *messages.FetchRequest, *messages.CanvassRequest:
		if len(r.unsure.held) < maxHeld {
			r.unsure.held = append(r.unsure.held, asked{m, ctx.Sender()})
		}
		return true
	case Reserve:
		r.unsure.local = append(slices.DeleteFunc(r.unsure.local, by(ctx.Sender())), asked{m, ctx.Sender()})
		return true
	}
	return false
}

// by tells the questions of an actor. One that asks again has given up its question before.
func by(pid *actor.PID) func(asked) bool {
	return func(a asked) bool { return a.by.GetId() == pid.GetId() && a.by.GetAddress() == pid.GetAddress() }
}

// trust ends the doubt in the replica's disk: what waits is answered.
func (r *replica) trust(ctx actor.Context) {
	held := slices.Concat(r.unsure.local, r.unsure.held)
	r.unsure = unsure{}
	for _, a := range held {
		r.Receive(late{ctx, a})
	}
}

// late is the context of a question that waited. Its handlers answer the sender, and do not Respond.
type late struct {
	actor.Context
	asked
}

// Message implements actor.Context.
func (l late) Message() any { return l.question }

// Sender implements actor.Context.
func (l late) Sender() *actor.PID { return l.by }

// hear takes over which processes were heard. Where a peer heard this one of a later state of its disk, it ends.
func (r *replica) hear(ctx actor.Context, m Heard) {
	if refusal, rewound := r.admission.Rewound(m.Processes); rewound {
		r.fail(ctx, refusal)
		return
	}
	r.admission.Hear(m.Processes)
}

// memory is how old the memory of other processes may get on a disk that is synced all the time.
const memory = time.Second

// remember stores which processes were heard, with a sync that is due anyway: whoever forgets one may take a disk that was
// rolled back for the one that it was.
func (r *replica) remember(ctx actor.Context) {
	now := r.Clock.Now()
	if r.fault != nil || now.Sub(r.remembered) < memory {
		return
	}
	r.remembered = now
	meta := r.meta
	if meta.Heard = r.admission.Sightings(); !slices.Equal(meta.Heard, r.meta.Heard) {
		r.setMetadata(ctx, meta)
	}
}
