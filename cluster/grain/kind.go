package grain

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
)

// DefaultPatience is how long an activation waits for the log where Config.Patience is 0: less than the 5 s that the cluster module gives
// a request, so that the caller hears why.
const DefaultPatience = 3 * time.Second

// Config is a kind of grains.
type Config struct {
	// Name is that of the kind, the same on every member. It has no slash.
	Name string
	// New makes a grain, which embeds a Mixin. Its state is in the journal "name/identity".
	New func() persistence.Persistent
	// Provider is where the journals are: cluster.Node.Persist, or cluster.Client.Persist, has one.
	Provider *persistence.Provider
	// Idle is how long a grain is asked nothing until it ends, to be activated by whoever asks it next; 0 keeps it.
	Idle time.Duration
	// Patience bounds each wait for the log: an activation with its replay, an event, a snapshot. 0 is DefaultPatience.
	Patience time.Duration
	// Clock is what idleness is measured by; nil is the real one.
	Clock timer.Clock
}

// Validate says all that is wrong with it.
func (c Config) Validate() error {
	var faults []error
	if c.Name == "" || strings.Contains(c.Name, "/") {
		faults = append(faults, fmt.Errorf("the kind is called %q: it needs a name without a slash", c.Name))
	}
	if c.New == nil {
		faults = append(faults, errors.New("nothing makes a grain: set New"))
	}
	if c.Provider == nil {
		faults = append(faults, errors.New("there is nowhere to keep the journals: set Provider"))
	}
	if c.Idle < 0 || c.Patience < 0 {
		faults = append(faults, fmt.Errorf("idle %v and patience %v: they cannot be negative", c.Idle, c.Patience))
	}
	return errors.Join(faults...)
}

// Kind makes a kind for the cluster module's configuration (its WithKinds):
//
//	counters, err := grain.Kind(grain.Config{Name: "counter", New: newCounter, Provider: node.Persist(cluster.PersistenceConfig{}).Provider})
//
// Close the provider after the cluster module was shut down.
func Kind(c Config) (*virtual.Kind, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("kind of grains: %w", err)
	}
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	kind := virtual.NewKind(c.Name, actor.PropsFromProducer(
		func() actor.Actor { return &activation{Persistent: c.New(), config: &c} },
		actor.WithMailbox(newMailbox),
	))
	// Behind the cluster module's own middleware: a grain has its state before it hears of its identity.
	kind.Props = kind.Props.Clone(actor.WithReceiverMiddleware(c.Provider.Within(c.Patience).Receive()))
	return kind, nil
}

// Mixin is what a grain embeds: a persistent actor whose journal is named by its cluster identity.
//
//	type counter struct {
//		grain.Mixin
//		total int64
//	}
type Mixin struct{ persistence.Mixin }

// PersistenceID is "kind/identity".
func (*Mixin) PersistenceID(ctx actor.Context) string {
	return virtual.GetClusterIdentity(ctx).AsKey()
}
