package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// sum replays a journal of numbers.
func sum(t *testing.T, ctx context.Context, j *persistence.Journal) (total int64) {
	t.Helper()
	err := j.Replay(ctx, func(_ uint64, state proto.Message) error {
		total = state.(*wrapperspb.Int64Value).GetValue()
		return nil
	}, func(_ uint64, event proto.Message) error {
		total += event.(*wrapperspb.Int64Value).GetValue()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func TestAJournalGoesOnAtAnotherMemberAndFencesTheFirst(t *testing.T) {
	one, two := twoMembers(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	here, there := one.Persist(PersistenceConfig{}), two.Persist(PersistenceConfig{})
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	j, err := here.Activate(ctx, "counter")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(10) {
		if i == 5 {
			if err := j.PersistSnapshot(ctx, j.Next(), wrapperspb.Int64(15)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if err := j.Persist(ctx, wrapperspb.Int64(i+1)); err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(began))
	}
	k, err := there.Activate(ctx, "counter")
	if err != nil {
		t.Fatal(err)
	}
	if got := sum(t, ctx, k); got != 55 || k.Next() != 10 {
		t.Errorf("the sum is %d after %d events, want 55 after 10", got, k.Next())
	}
	if err := j.Persist(ctx, wrapperspb.Int64(1)); !errors.Is(err, persistence.ErrFenced) {
		t.Errorf("the first activation wrote: %v", err)
	}
	for range 5 {
		began := time.Now()
		if err := k.Persist(ctx, wrapperspb.Int64(7)); err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(began))
	}
}
