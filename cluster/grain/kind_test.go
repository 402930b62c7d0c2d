package grain

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

func TestGrains(t *testing.T) {
	if !alone(t) {
		return
	}
	f := start(t)
	for claim, test := range map[string]func(*testing.T, *fixture){
		"each identity has a state of its own":                                              ownStates,
		"one that was idle ends, and goes on with what it persisted":                        napping,
		"the earlier of two activations is told, and the next one goes on":                  fenced,
		"what waits for one that was fenced is refused, and was not handled":                refused,
		"a caller that was not served by a fenced one asks again by itself":                 askedAgain,
		"what waits for one that ends is a dead letter":                                     deadLetter,
		"an activation that cannot be had is told to its caller, and not tried by itself":   unavailable,
		"one that panics says so, and goes on with what it persisted":                       panicking,
		"one whose write has no known outcome ends, and the next begins with what there is": doubtful,
	} {
		t.Run(claim, func(t *testing.T) { test(t, f) })
	}
}

func ownStates(t *testing.T, f *fixture) {
	for i := range int64(10) { // a snapshot is taken every four
		f.add(t, "counter", "a", 1, i+1)
		f.add(t, "counter", "b", 2, 2*(i+1))
	}
}

func napping(t *testing.T, f *fixture) {
	f.add(t, "napper", "a", 7, 7)
	first := f.cluster.Get("a", "napper")
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(limit); ; {
		if _, there := f.cluster.ActorSystem.ProcessRegistry.GetLocal(first.GetId()); !there {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is still there after %v", limit)
		}
		<-again.C
	}
	f.add(t, "napper", "a", 1, 8)
	if second := f.cluster.Get("a", "napper"); second.Equal(first) {
		t.Error("it is the same activation")
	}
}

func fenced(t *testing.T, f *fixture) {
	f.add(t, "counter", "fenced", 1, 1)
	f.elsewhere(t, "counter/fenced", 10)
	if _, err := f.ask(t, "counter", "fenced", wrapperspb.Int64(1)); !errors.Is(err, persistence.ErrFenced) || errors.Is(err, ErrNotServed) {
		t.Fatalf("the earlier one says %v", err)
	}
	f.add(t, "counter", "fenced", 1, 12)
}

func refused(t *testing.T, f *fixture) {
	release, told := f.hold(t, "refused")
	waiting := f.behind(t, "refused")
	f.elsewhere(t, "counter/refused", 10)
	close(release)
	if err := await(t, told); !errors.Is(err, persistence.ErrFenced) {
		t.Fatalf("the one it handled is told %v", err)
	}
	answer, err := waiting()
	if err := errors.Join(err, Failure(answer)); !errors.Is(err, ErrNotServed) || !errors.Is(err, persistence.ErrFenced) {
		t.Fatalf("the one that waited is told %v, %v", answer, err)
	}
	f.add(t, "counter", "refused", 1, 11)
}

func askedAgain(t *testing.T, f *fixture) {
	f.add(t, "refuser", "a", 1, 2)
}

func deadLetter(t *testing.T, f *fixture) {
	release, told := f.hold(t, "ending")
	f.cluster.ActorSystem.Root.Poison(f.cluster.Get("ending", "counter"))
	waiting := f.behind(t, "ending")
	close(release)
	if err := await(t, told); err != nil {
		t.Fatal(err)
	}
	if answer, err := waiting(); !errors.Is(err, actor.ErrDeadLetter) {
		t.Fatalf("the one that waited is told %v, %v", answer, err)
	}
	f.add(t, "counter", "ending", 1, 2)
}

func unavailable(t *testing.T, f *fixture) {
	f.deafen(t, true)
	_, err := f.ask(t, "counter", "unavailable", wrapperspb.Int64(1))
	unheard := f.deafen(t, false)
	if !errors.Is(err, persistence.ErrUnknown) || !errors.Is(err, ErrNotServed) {
		t.Fatalf("the caller is told %v", err)
	}
	if reason := virtual.FromError(err).GetReason(); reason != virtual.ErrorReason_UNAVAILABLE {
		t.Errorf("in the cluster module's words: %s", reason)
	}
	if unheard != 1 {
		t.Errorf("it was tried %d times", unheard)
	}
	f.add(t, "counter", "unavailable", 1, 1)
}

func panicking(t *testing.T, f *fixture) {
	f.add(t, "counter", "panics", 5, 5)
	if _, err := f.ask(t, "counter", "panics", wrapperspb.String("panic")); !errors.Is(err, ErrPanicked) {
		t.Fatalf("the caller is told %v", err)
	}
	f.add(t, "counter", "panics", 1, 6)
}

func doubtful(t *testing.T, f *fixture) {
	f.add(t, "counter", "doubtful", 5, 5)
	f.deafen(t, true)
	if _, err := f.ask(t, "counter", "doubtful", wrapperspb.Int64(1)); !errors.Is(err, persistence.ErrUnknown) || errors.Is(err, ErrNotServed) {
		t.Errorf("the caller is told %v", err)
	}
	f.deafen(t, false)
	f.add(t, "counter", "doubtful", 1, 6)
}

func TestAKindNeedsANameAProducerAndAProvider(t *testing.T) {
	good := Config{Name: "counter", New: func() persistence.Persistent { return &counter{} }, Provider: &persistence.Provider{}}
	if _, err := Kind(good); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		`called ""`:         func(c *Config) { c.Name = "" },
		`called "a/b"`:      func(c *Config) { c.Name = "a/b" },
		"set New":           func(c *Config) { c.New = nil },
		"set Provider":      func(c *Config) { c.Provider = nil },
		"idle -1ns":         func(c *Config) { c.Idle = -1 },
		"patience -1ns":     func(c *Config) { c.Patience = -1 },
		"set New\nthere is": func(c *Config) { c.New, c.Provider = nil, nil },
	} {
		bad := good
		spoil(&bad)
		if _, err := Kind(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
