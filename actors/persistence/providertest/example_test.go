package providertest_test

import (
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/persistence"

	"github.com/quorumlog/quorumlog/actors/persistence/providertest"
)

// inMemory is protoactor's own store as a provider: put yours in its place.
type inMemory struct{ *persistence.InMemoryProvider }

func (m inMemory) GetState() persistence.ProviderState { return m }

// What a provider does not keep it says, with the reason.
func Example() {
	tests := func(t *testing.T) {
		providertest.Run(t, providertest.Kit{
			Provider: func(*testing.T) persistence.Provider { return inMemory{persistence.NewInMemoryProvider(4)} },
			Without: map[string]string{
				"a message that is changed after it was persisted is not changed in the store": "it keeps the message itself",
				"an event with an index that is taken is refused":                              "it appends whatever comes",
				"an event with an index that leaves a gap is refused":                          "it appends whatever comes",
				"of two activations of an actor the first is fenced":                           "it knows of no activations",
			},
		})
	}
	_ = tests // in a test file: func TestMyProvider(t *testing.T)

	fmt.Println(providertest.Claims()[1])
	// Output: events come back in their order
}
