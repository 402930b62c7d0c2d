package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/static"
	"github.com/quorumlog/quorumlog/log"
)

// scripted is a source whose calls are told to the test, which answers them.
type scripted struct {
	watched   chan func(discovery.Places)
	fails     chan error
	announced chan discovery.Place
	lost      chan error
	taken     chan struct{}
}

func newScripted() *scripted {
	return &scripted{
		watched: make(chan func(discovery.Places)), fails: make(chan error),
		announced: make(chan discovery.Place), lost: make(chan error), taken: make(chan struct{}, 1),
	}
}

func (s *scripted) Watch(ctx context.Context, found func(discovery.Places)) error {
	for {
		select {
		case s.watched <- found:
		case err := <-s.fails:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *scripted) Announce(ctx context.Context, own discovery.Place) error {
	s.announced <- own
	select {
	case err := <-s.lost:
		return err
	case <-ctx.Done():
	}
	s.taken <- struct{}{}
	return nil
}

func follow(t *testing.T, s discovery.Source) *discovery.Directory {
	t.Helper()
	d := discovery.Follow(s, zerolog.Nop())
	t.Cleanup(d.Close)
	return d
}

func TestDirectoryRemembersWhatItsSourceForgets(t *testing.T) {
	s := newScripted()
	d := follow(t, s)
	found := <-s.watched
	found(discovery.Places{1: {"a:1"}, 2: {"b:1"}})
	for _, places := range []discovery.Places{nil, {}, {1: nil}, {1: {"nonsense"}}, {1: {":1", "0.0.0.0:1", "a:0", "a:65536"}}} {
		found(places)
		if got := d.Resolve(1); !slices.Equal(got, []string{"a:1"}) {
			t.Errorf("after %v: %v", places, got)
		}
	}
	found(discovery.Places{1: {"a:2"}})
	if got := d.All(); !slices.Equal(got, []string{"a:2", "b:1"}) {
		t.Errorf("got %v", got)
	}
}

func TestDirectoryIsBounded(t *testing.T) {
	s := newScripted()
	d := follow(t, s)
	all := make(discovery.Places)
	for id := log.ReplicaID(1); id < 3000; id++ {
		all[id] = []string{"a:1", "a:2", "a:3", "a:4", "a:5", "a:6"}
	}
	(<-s.watched)(all)
	if got := len(d.All()); got != discovery.MaxMembers*discovery.MaxPlaces {
		t.Errorf("%d places are kept", got)
	}
}

func TestSourceThatFailsIsAskedAgain(t *testing.T) {
	s := newScripted()
	d := follow(t, s)
	for n := range 3 {
		s.fails <- fmt.Errorf("fault %d", n)
	}
	(<-s.watched)(discovery.Places{1: {"a:1"}})
	select {
	case <-d.Told():
	case <-time.After(20 * time.Second):
		t.Error("nothing was told")
	}
}

func TestWhatIsAnnouncedIsAnnouncedAgainAndTakenBack(t *testing.T) {
	s := newScripted()
	d := follow(t, s)
	own := discovery.Place{Member: 3, Address: "c:1"}
	d.Announce(own)
	for range 3 {
		if got := <-s.announced; got != own {
			t.Errorf("announced %v", got)
		}
		s.lost <- errors.New("it is not there any more")
	}
	<-s.announced
	d.Close()
	select {
	case <-s.taken:
	default:
		t.Error("it was not taken back")
	}
}

func TestStaticSourceTellsChanges(t *testing.T) {
	s := static.New(discovery.Places{1: {"a:1"}})
	heard := make(chan discovery.Places)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Watch(ctx, func(p discovery.Places) { heard <- p }) }()
	first := <-heard
	s.Set(discovery.Places{1: {"a:2"}})
	second := <-heard
	cancel()
	if err := <-ended; err != nil || first[1][0] != "a:1" || second[1][0] != "a:2" {
		t.Errorf("%v, then %v, then %v", first, second, err)
	}
}
