package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/static"
)

// follows returns the access of a client that knows member 1 under an address, and follows a source.
func follows(t *testing.T, address string, source discovery.Source) access {
	t.Helper()
	members := newRoster([]Member{{1, address}})
	w := newWhereabouts(source, members, Security{}, zerolog.Nop())
	t.Cleanup(w.close)
	await(t, w.directory.Told(), "what the source says")
	return access{members: members, ways: w}
}

func startFollower(t *testing.T, own access) *asker {
	t.Helper()
	a := startShutWith(t, own)
	a.transport.open()
	return a
}

// startAt starts a peer that is member 1 of that address, and listens somewhere.
func startAt(t *testing.T, address, place string) *peer {
	t.Helper()
	return startPeer(t, address, placeVariable+"=1@"+place)
}

// startOther starts a peer that is member 2, and returns where it listens.
func startOther(t *testing.T) string {
	place := free(t)
	startPeer(t, "127.0.0.1:9", placeVariable+"=2@"+place)
	return place
}

// hangsUp is a place where whoever connects is turned away.
func hangsUp(t *testing.T) string {
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close() // that is all it does
		}
	}()
	return l.Addr().String()
}

func TestMemberThatMovedIsReachedWithoutARestart(t *testing.T) {
	if !alone(t) {
		return
	}
	source, address := static.New(nil), free(t)
	p, a := startAt(t, address, address), startFollower(t, follows(t, address, source))
	a.ask(t, p.gateway())
	for range 2 { // also once more
		p.kill(t)
		place := free(t)
		p = startAt(t, address, place)
		source.Set(discovery.Places{1: {place}})
		began := time.Now()
		a.ask(t, p.gateway())
		t.Logf("answered after %s", time.Since(began))
	}
}

func TestSourceThatForgetsAMemberDoesNotLoseIt(t *testing.T) {
	if !alone(t) {
		return
	}
	address, place := free(t), free(t)
	source := static.New(discovery.Places{1: {place}})
	own := follows(t, address, source)
	p, a := startAt(t, address, place), startFollower(t, own)
	a.ask(t, p.gateway())
	source.Set(nil)
	p.kill(t)
	p = startAt(t, address, place)
	a.ask(t, p.gateway())
}

func TestMemberIsReachedThoughItsDiscoveryLies(t *testing.T) {
	for _, lie := range []struct {
		name  string
		place func(*testing.T) string
	}{
		{"nobody is there", func(t *testing.T) string { return free(t) }},
		{"somebody is there who says nothing", func(t *testing.T) string { return listen(t).Addr().String() }},
		{"somebody hangs up", hangsUp},
		{"another member is there", startOther},
		{"a client is there", func(t *testing.T) string { return startShut(t).system.Address() }},
	} {
		t.Run(lie.name, func(t *testing.T) {
			if !alone(t) {
				return
			}
			address := free(t)
			p := startAt(t, address, address)
			a := startFollower(t, follows(t, address, static.New(discovery.Places{1: {lie.place(t)}})))
			began := time.Now()
			a.ask(t, p.gateway())
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("answered after %s", took)
			}
			if len(p.heard) == 0 {
				t.Error("somebody else answered")
			}
		})
	}
}

func TestConnectionThatHoldsOutlivesADiscoveryThatFlaps(t *testing.T) {
	if !alone(t) {
		return
	}
	address, source := free(t), static.New(nil)
	p, a := startAt(t, address, address), startFollower(t, follows(t, address, source))
	a.ask(t, p.gateway())
	l := a.transport.links.list()[0]
	for n := range 50 {
		source.Set(discovery.Places{1: {fmt.Sprintf("127.0.0.1:%d", 1+n%2)}})
		a.send(p.gateway(), uint64(100+n))
		a.await(t, uint64(100+n)) // each is sent once
	}
	if !l.greeted.Load() || a.transport.links.list()[0] != l {
		t.Error("the connection was made anew")
	}
}

func TestCertificateAtAPlaceIsAsked(t *testing.T) {
	if !alone(t) {
		return
	}
	c, address, place := newCerts(t), free(t), free(t)
	own, err := c.make(t, asClient(certificate.Client), 0).openAsClient(peersOf(address), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	other, err := Config{ID: 2, Cluster: testCluster, Members: peersOf(address), Security: c.make(t, asMember(2), 0)}.openFor(Member{ID: 2})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandshakes(other, zerolog.Nop())
	met := serveHandshakes(t, place, h)
	source := static.New(discovery.Places{1: {place}})
	own.ways = newWhereabouts(source, own.members, Security{Insecure: true}, zerolog.Nop())
	t.Cleanup(own.ways.close)
	await(t, own.ways.directory.Told(), "what the source says")
	p, a := c.startPeer(t, address), startFollower(t, own)
	a.ask(t, p.gateway())
	await(t, met, "somebody to look at the place that is a lie")
}

// serveHandshakes shakes hands with everybody who comes to a place, and tells when somebody came.
func serveHandshakes(t *testing.T, place string, h *handshakes) <-chan struct{} {
	t.Helper()
	l, err := net.Listen("tcp", place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test is over
	met := make(chan struct{}, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _, _ = h.ServerHandshake(conn) // whoever came says what was wrong
			select {
			case met <- struct{}{}:
			default:
			}
		}
	}()
	return met
}

func TestPlacesAreTriedInTurnUntilTheMemberAnswers(t *testing.T) {
	source := static.New(discovery.Places{1: {"127.0.0.1:2", "10.0.0.1:3"}, 9: {"127.0.0.1:9"}})
	w := follows(t, "127.0.0.1:1", source).ways
	w.ways["127.0.0.1:1"] = &way{}
	at := w.ways["127.0.0.1:1"]
	for _, r := range []struct {
		name string
		way  way
		near bool
		want []string
	}{
		{"first what was found", way{}, false, []string{"127.0.0.1:2", "10.0.0.1:3", "127.0.0.1:1"}},
		{"in plain text only on this machine", way{}, true, []string{"127.0.0.1:2", "127.0.0.1:1"}},
		{"it was not at the first", way{bad: 1}, false, []string{"10.0.0.1:3", "127.0.0.1:1", "127.0.0.1:2"}},
		{"it was nowhere", way{bad: 3}, false, []string{"127.0.0.1:2", "10.0.0.1:3", "127.0.0.1:1"}},
		{"where it answered", way{good: "127.0.0.1:1"}, true, []string{"127.0.0.1:1", "127.0.0.1:2"}},
		{"where nobody says it is", way{good: "127.0.0.1:7"}, true, []string{"127.0.0.1:7", "127.0.0.1:2", "127.0.0.1:1"}},
	} {
		*at, w.near = r.way, r.near
		if got := w.places("127.0.0.1:1"); !slices.Equal(got, r.want) {
			t.Errorf("%s: got %v, want %v", r.name, got, r.want)
		}
	}
	if got := w.places("127.0.0.1:9"); !slices.Equal(got, []string{"127.0.0.1:9"}) {
		t.Errorf("whoever is no member is elsewhere: %v", got)
	}
}

func TestRaceIsWonByThePlaceThatTakesTheConnection(t *testing.T) {
	here := listen(t).Addr().String()
	const gone = "192.0.2.1:1" // for documentation: nobody answers, or there is no way
	for _, places := range [][]string{{here}, {free(t), here}, {gone, here}, {gone, free(t), here}, {here, gone}} {
		conn, place, err := race(t.Context(), places)
		if err != nil || place != here {
			t.Errorf("%v: %s, %v", places, place, err)
			continue
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRaceWithoutAWinnerSaysWhatIsWrong(t *testing.T) {
	if _, _, err := race(t.Context(), []string{free(t), free(t)}); err == nil {
		t.Error("nobody is there")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := race(ctx, []string{"192.0.2.1:1"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
