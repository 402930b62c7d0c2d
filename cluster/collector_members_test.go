package cluster

import (
	"testing"
	"time"
)

// What is served is looked at by nobody who asks for the members: the metrics must hear of a change by themselves.
func TestMetricsTellOfTheMembersThatThereAreNow(t *testing.T) {
	if !alone(t) {
		return
	}
	first, second := twoMembers(t)
	client, err := Dial(t.Context(), first.Members())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // it returns nil
	const peer = `quorumlog_peer_connected{peer="3"}`
	observer := Member{3, free(t)}
	if _, err := client.AddObserver(t.Context(), observer); err != nil { // the members have begun just now
		t.Fatal(err)
	}
	for _, n := range []*Node{first, second} {
		awaitMetrics(t, n, "an observer, which is not there", func(m map[string]float64) bool {
			connected, served := m[peer]
			return served && connected == 0 && m["quorumlog_voters"] == 2 && m["quorumlog_voter"] == 1
		})
	}
	if _, err := client.RemoveMember(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*Node{first, second} {
		awaitMetrics(t, n, "two members", func(m map[string]float64) bool {
			_, served := m[peer]
			return !served
		})
	}
}

func awaitMetrics(t *testing.T, n *Node, what string, holds func(map[string]float64) bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.After(20 * time.Second); ; {
		m := gather(t, n)
		if holds(m) {
			return
		}
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("the metrics do not tell of %s: %v", what, m)
		}
	}
}

// Who the members are may change between two looks at them.
func TestMembersThatChangeMeanwhileAreNamedAllTheSame(t *testing.T) {
	few := []Member{{1, "127.0.0.1:1"}}
	many := append(few, Member{2, "127.0.0.1:2"}, Member{3, "127.0.0.1:3"})
	c := &Client{members: few}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			c.mu.Lock()
			c.members = [][]Member{few, many}[i%2]
			c.mu.Unlock()
		}
	}()
	for range 20_000 {
		if c.addresses() == "" {
			t.Fatal("nobody is named")
		}
	}
	close(done)
	<-over
}
