// Package providertest tells whether a provider keeps what protoactor's persistence wants of it.
//
//	func TestMyProvider(t *testing.T) {
//		providertest.Run(t, providertest.Kit{Provider: func(t *testing.T) persistence.Provider { return mine(t) }})
//	}
//
// Each claim is a subtest. The interface says little about what may be asked of whom; the claims are what protoactor's own Mixin
// does, and what whoever persists the state of an actor takes for granted. A provider that cannot keep one says so in Kit.Without,
// by the claim's name and with a reason.
package providertest

import (
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/persistence"
)

// Kit is a provider, and what is known of it.
type Kit struct {
	// Provider returns a provider with nothing in it. It is called once for each claim.
	Provider func(t *testing.T) persistence.Provider
	// Elsewhere returns a provider of another process, which sees what the first one has persisted. Nil: the provider itself is
	// asked for another state.
	Elsewhere func(t *testing.T, first persistence.Provider) persistence.Provider
	// Without names the claims that the provider does not keep, and why. They are skipped, with that.
	Without map[string]string
}

// claim is what a provider has to do.
type claim struct {
	name  string
	check func(t *testing.T, k Kit)
}

// Claims are the names of what is tested, in order.
func Claims() []string {
	names := make([]string, 0, len(claims()))
	for _, c := range claims() {
		names = append(names, c.name)
	}
	return names
}

func claims() []claim {
	return []claim{
		{"a new actor has neither events nor a snapshot", isNew},
		{"events come back in their order", inOrder},
		{"events come back from an index on", fromAnIndex},
		{"events come back up to an index, and not with it", upToAnIndex},
		{"the latest snapshot comes back, with its index", latestSnapshot},
		{"events behind a snapshot come back", behindSnapshot},
		{"one actor's events are not another's", apart},
		{"a message that is changed after it was persisted is not changed in the store", ownCopy},
		{"what was persisted is there for another state", elsewhere},
		{"many actors persist at a time", crowd},
		{"what is deleted up to an index leaves what is behind it", deleted},
		{"an event with an index that is taken is refused", takenIndex},
		{"an event with an index that leaves a gap is refused", gap},
		{"of two activations of an actor the first is fenced", fenced},
		{"an actor that ends begins again with its state", respawned},
		{"an actor that panics begins again with its state", restarted},
	}
}

// Run checks each claim.
func Run(t *testing.T, k Kit) {
	for name := range k.Without {
		if !slices.Contains(Claims(), name) {
			t.Errorf("there is no claim %q", name)
		}
	}
	for _, c := range claims() {
		t.Run(c.name, func(t *testing.T) {
			if why, without := k.Without[c.name]; without {
				t.Skip(why)
			}
			c.check(t, k)
		})
	}
}
