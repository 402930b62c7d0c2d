// Package static is a discovery that knows where members are from the beginning, for programs that know, and for tests.
package static

import (
	"context"
	"maps"
	"sync"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// Source is a list in memory. Whoever changes it is heard at once.
type Source struct {
	discovery.Written
	mu      sync.Mutex
	places  discovery.Places
	changed chan struct{} // closed when places are others
}

var _ discovery.Source = (*Source)(nil)

// New returns a source with these places.
func New(places discovery.Places) *Source {
	return &Source{places: maps.Clone(places), changed: make(chan struct{})}
}

// Set replaces the places. They are not to be changed afterwards.
func (s *Source) Set(places discovery.Places) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places = maps.Clone(places)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Watch implements discovery.Source.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	for {
		s.mu.Lock()
		places, changed := s.places, s.changed
		s.mu.Unlock()
		found(places)
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
