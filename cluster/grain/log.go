package grain

import (
	"context"
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/cluster"
)

// LogName is the kind of logs, and the identity of the one that has no other name.
const LogName = "quorumlog"

// How much an activation has on its way: bytes of requests, and what each counts besides; what comes beyond is refused as busy.
const (
	maxFlight  = 8 << 20
	perRequest = 16 << 10
)

// LogKind makes logs reachable by cluster identity: their names are the identities, and LogName, or none, is that of logs[""]. Behind a name
// a slash and anything else may follow, for activations of the same log on other members: one activation answers up to 512 requests, or
// 8 MiB, at a time.
//
// A log takes the AppendRequest, TruncateRequest, ReadRequest and CatchupRequest of package messages, and answers with the message that
// goes with it, as cluster.Relay says; what went wrong is in that. Whoever asks for another log, sends something else, or too much at a time,
// gets a GrainErrorResponse, and nothing was done. An append that got no answer is sent again where it has a session, and is in the log once.
//
// The map is looked at when a log is first asked for here, so a program that gives the log its own actor system (cluster.Config.System), whose
// remote the cluster module starts, may fill it then. Close the clients after the cluster module was shut down.
func LogKind(logs map[string]*cluster.Client) *virtual.Kind {
	return virtual.NewKind(LogName, actor.PropsFromProducer(func() actor.Actor {
		return &logGrain{logs: logs, flight: semaphore.NewWeighted(maxFlight)}
	}, actor.WithMailbox(newMailbox)))
}

// logGrain stands for a log. It has no state: two of one log do no harm.
type logGrain struct {
	logs   map[string]*cluster.Client
	relay  *cluster.Relay
	flight *semaphore.Weighted
	ctx    context.Context //nolint:containedctx // of the requests, which end with the actor
	cancel context.CancelFunc
}

// Receive implements actor.Actor.
func (l *logGrain) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		l.ctx, l.cancel = context.WithCancel(context.Background())
	case *virtual.ClusterInit:
		l.find(m.Identity.GetIdentity())
	case *actor.Stopping, *actor.Restarting:
		l.cancel()
	case actor.SystemMessage, actor.AutoReceiveMessage:
	case proto.Message:
		l.answer(ctx, m)
	default:
		l.no(ctx, virtual.ErrorReason_INVALID_ARGUMENT, fmt.Sprintf("a log takes the requests of package messages, not a %T", m))
	}
}

func (l *logGrain) find(identity string) {
	name, _, _ := strings.Cut(identity, "/")
	client, known := l.logs[name]
	if !known && name == LogName {
		client, known = l.logs[""]
	}
	if known {
		l.relay = client.Relay()
	}
}

// answer has a request answered beside the actor, as the client's calls block.
func (l *logGrain) answer(ctx actor.Context, m proto.Message) {
	weight := min(int64(proto.Size(m))+perRequest, maxFlight)
	switch {
	case l.relay == nil:
		l.no(ctx, virtual.ErrorReason_NOT_FOUND, "this member has no such log: "+virtual.GetClusterIdentity(ctx).GetIdentity())
		return
	case ctx.Sender() == nil:
		return // nobody would hear what became of it
	case !l.flight.TryAcquire(weight):
		l.no(ctx, virtual.ErrorReason_RESOURCE_EXHAUSTED, "too many requests are on their way: send it again later")
		return
	}
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	go func() {
		defer l.flight.Release(weight)
		answer, err := l.relay.Answer(l.ctx, m)
		if err != nil {
			answer = virtual.NewGrainErrorResponse(virtual.ErrorReason_INVALID_ARGUMENT, err.Error())
		}
		root.Send(to, answer)
	}()
}

func (*logGrain) no(ctx actor.Context, reason, text string) {
	if ctx.Sender() != nil {
		ctx.Respond(virtual.NewGrainErrorResponse(reason, text))
	}
}
