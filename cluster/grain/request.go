package grain

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	virtual "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// pause is how long a caller waits before the cluster module is asked again where a grain is: whoever hosted it has to notice that it ended.
const pause = 20 * time.Millisecond

// Request asks a grain and returns its answer, or the error that it is. It goes on, until the context ends, as long as it is certain that nobody
// handled the message: where there is no member for the kind yet, where the grain had just ended, or its activation was fenced by a
// later one. The other errors are returned at once: a grain that cannot be activated is the caller's to ask again, or not.
//
// ErrUnknown says that no answer came in time, or that the host is gone: the grain may have handled the message. Without a deadline the time is the cluster
// module's (its Config.RequestTimeoutTime, 5 s).
func Request(ctx context.Context, c *virtual.Cluster, kind, identity string, m proto.Message) (any, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Config.RequestTimeoutTime)
		defer cancel()
	}
	for {
		answer, err := once(ctx, c, kind, identity, m)
		if err == nil || !errors.Is(err, ErrNotServed) || !errors.Is(err, persistence.ErrFenced) {
			return answer, err
		}
		c.PidCache.Remove(identity, kind)
		if wait(ctx) != nil {
			return nil, err
		}
	}
}

// replied is what the cluster module came back with.
type replied struct {
	answer any
	err    error
}

// errGone: the cluster module missed the host, and knows by now where the grain is to be instead.
var errGone = errors.New("its host is gone")

// once asks the cluster module, which knows no contexts: the call is left to end by itself where the context ends first, or the host is gone.
func once(ctx context.Context, c *virtual.Cluster, kind, identity string, m proto.Message) (any, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil) // whatever is left of the call sends nothing any more
	events := c.ActorSystem.EventStream.Subscribe(watch(c, kind, identity, func() { cancel(errGone) }))
	defer c.ActorSystem.EventStream.Unsubscribe(events)
	back := make(chan replied, 1)
	go func() {
		answer, err := request(ctx, c, kind, identity, m)
		back <- replied{answer, err}
	}()
	select {
	case r := <-back:
		if r.err != nil {
			return nil, unknown(kind, identity, r.err)
		}
		if err := Failure(r.answer); err != nil {
			return nil, fmt.Errorf("ask %s/%s: %w", kind, identity, err)
		}
		return r.answer, nil
	case <-ctx.Done():
		return nil, unknown(kind, identity, context.Cause(ctx))
	}
}

// watch is told of everything that happens in the actor system. A connection may break for a moment only; a host that is missed is told
// of twice: its connection ends, and then, when everybody else in this process knows, the members are others.
func watch(c *virtual.Cluster, kind, identity string, gone func()) func(any) {
	var lost atomic.Bool
	return func(event any) {
		switch e := event.(type) {
		case *remote.EndpointTerminatedEvent:
			if pid, known := c.PidCache.Get(identity, kind); known && pid.GetAddress() == e.Address {
				lost.Store(true)
			}
		case *virtual.ClusterTopology:
			if lost.Load() && len(e.GetLeft()) > 0 {
				gone()
			}
		}
	}
}

// request has the cluster module look for the grain, and send the message, until that was not a dead letter.
func request(ctx context.Context, c *virtual.Cluster, kind, identity string, m proto.Message) (any, error) {
	end, _ := ctx.Deadline()
	return c.Request(identity, kind, m, virtual.WithTimeout(time.Until(end)), virtual.WithRetryCount(math.MaxInt),
		virtual.WithRetryAction(func(n int) int {
			if wait(ctx) != nil {
				return math.MaxInt
			}
			return n + 1
		}))
}

func unknown(kind, identity string, err error) error {
	return fmt.Errorf("ask %s/%s: %w: %w", kind, identity, persistence.ErrUnknown, err)
}

func wait(ctx context.Context) error {
	due := time.NewTimer(pause)
	defer due.Stop()
	select {
	case <-due.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
