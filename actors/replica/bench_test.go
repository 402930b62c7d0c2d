package replica_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage/disk"
	"github.com/quorumlog/quorumlog/messages"
)

// streams is how many writers write at a time.
const streams = 3

// BenchmarkWrites is what one replica on a directory of this machine accepts of three writers, each of which has some
// writes of 128 bytes outstanding. It also tells how many syncs that took, for each write.
func BenchmarkWrites(b *testing.B) {
	for _, outstanding := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("3x%d", outstanding), func(b *testing.B) { benchmarkWrites(b, outstanding) })
	}
}

func benchmarkWrites(b *testing.B, outstanding int) {
	store := voting(b)
	system := actor.NewActorSystem()
	defer system.Shutdown()
	pid, err := system.Root.SpawnNamed(actor.PropsFromProducer(replica.New(replica.Config{
		Store: store, Cluster: identity.ClusterID{1}, Configuration: 1, Members: []log.ReplicaID{1, 2, 3},
		Absence: time.Second, Clock: timer.System(system), Random: timer.Chance(), Log: zerolog.Nop(),
	})), "replica")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, streams)
	before := store.Age()
	b.ResetTimer()
	for i := range streams {
		w := &writer{replica: pid, next: log.Position(1 + i), writes: b.N/streams + 1, outstanding: outstanding, done: done}
		system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return w }))
	}
	for range streams {
		err = errors.Join(err, <-done)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	b.ReportMetric(float64(store.Age()-before)/b.Elapsed().Seconds(), "syncs/s")
	b.ReportMetric(float64(store.Age()-before)/float64(b.N), "syncs/write")
	if err = errors.Join(err, system.Root.StopFuture(pid).Wait(), store.Close()); err != nil {
		b.Fatal(err)
	}
}

// voting is a new disk whose replica votes.
func voting(b *testing.B) *disk.Store {
	b.Helper()
	store, err := disk.Open(disk.Options{
		Dir: filepath.Join(b.TempDir(), "data"), Cluster: "test", Replica: 1, Members: []log.ReplicaID{1, 2, 3}, Create: true,
		Logger: zerolog.Nop(),
	})
	if err != nil {
		b.Fatal(err)
	}
	meta := store.Metadata()
	meta.Status = status.Voting
	if err := errors.Join(store.SetMetadata(meta), store.Sync()); err != nil {
		b.Fatal(err)
	}
	return store
}

// writer writes to every third position, in order, with some writes outstanding.
type writer struct {
	replica     *actor.PID
	next        log.Position
	writes      int // that are still to be sent
	outstanding int // that may be unanswered, and then those that are
	done        chan error
}

// Receive implements actor.Actor.
func (w *writer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		w.outstanding = min(w.outstanding, w.writes)
		for range w.outstanding {
			w.write(ctx)
		}
	case *messages.WriteResponse:
		if m.GetAccepted() == nil {
			w.done <- fmt.Errorf("a write is answered with %v", m)
			ctx.Stop(ctx.Self())
			return
		}
		if w.writes > 0 {
			w.write(ctx)
			return
		}
		if w.outstanding--; w.outstanding == 0 {
			w.done <- nil
		}
	}
}

func (w *writer) write(ctx actor.Context) {
	self := identity.Identity{
		Cluster: identity.ClusterID{1}, Configuration: 1, Replica: 2, Incarnation: identity.Incarnation{Generation: 1, Disk: 1},
		Boot: 1, Process: 1, BootAge: 1, Age: 1,
	}
	ctx.Request(w.replica, codec.EncodeWriteRequest(codec.EncodeHeader(self, uint64(w.next), nil), codec.Write{
		By: log.NewProposal(1, 2), First: w.next, Values: []log.Value{{Kind: log.Append, Data: make([]byte, 128)}},
	}))
	w.writes--
	w.next += streams
}
