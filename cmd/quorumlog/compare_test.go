package main

import (
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

func TestDigestsThatDifferAreAFaultOfTheirPiece(t *testing.T) {
	a, b := [32]byte{1}, [32]byte{2}
	short, long := log.Range{First: 3, Last: 5}, log.Range{First: 3, Last: 9}
	for _, r := range []struct {
		digests []cluster.Digest
		last    log.Position
		want    string
	}{
		{[]cluster.Digest{{Range: long, SHA256: a}, {Range: long, SHA256: a}, {Range: long, SHA256: a}}, 9, ""},
		{[]cluster.Digest{{Range: long, SHA256: a}, {Range: long, SHA256: b}, {Range: long, SHA256: a}}, 9,
			"the members differ in positions [3, 9]: they fall apart into 1 3 | 2"},
		{[]cluster.Digest{{Range: short, SHA256: a}, {Range: long, SHA256: a}, {Range: short, SHA256: a}}, 9,
			"the members differ in positions [3, 9]: they fall apart into 1 3 | 2"},
	} {
		c := comparison{verdict: newVerdict()}
		for id := range r.digests {
			c.verdict.Members = append(c.verdict.Members, verifiedSide{ID: log.ReplicaID(id + 1)})
		}
		last := c.piece(r.digests)
		got := ""
		for _, f := range c.verdict.Faults {
			got += f.Text
		}
		if last != r.last || got != r.want {
			t.Errorf("%v: up to %d: %q, expected %d and %q", r.digests, last, got, r.last, r.want)
		}
	}
}

func TestOpenPositionsAtTheEndAreNoFault(t *testing.T) {
	for _, r := range []struct {
		a, b          cluster.Status
		faults, notes int
		want          log.Range
	}{
		{cluster.Status{Begin: 1, End: 9, Learned: 9}, cluster.Status{Begin: 1, End: 9, Learned: 9}, 0, 0, log.Range{First: 1, Last: 9}},
		{cluster.Status{Begin: 1, End: 9, Learned: 9}, cluster.Status{Begin: 3, End: 12, Learned: 10, Holes: 2}, 0, 1, log.Range{First: 3, Last: 9}},
		{cluster.Status{Begin: 1, End: 9, Learned: 9, Holes: 1}, cluster.Status{Begin: 1, End: 9, Learned: 9}, 1, 0, log.Range{First: 1, Last: 9}},
		{cluster.Status{Begin: 1, End: 9, Learned: 9}, cluster.Status{Begin: 2, End: 9, Learned: 9}, 1, 0, log.Range{First: 2, Last: 9}},
		{cluster.Status{Begin: 1, End: 0, Learned: 0}, cluster.Status{Begin: 1, End: 0, Learned: 0}, 0, 0, log.Range{First: 1, Last: 0}},
	} {
		c := comparison{verdict: newVerdict()}
		c.measure([]cluster.Status{r.a, r.b})
		v := c.verdict
		if len(v.Faults) != r.faults || len(v.Notes) != r.notes || v.Begin != r.want.First || v.End != r.want.Last {
			t.Errorf("%+v, %+v: %+v", r.a, r.b, v)
		}
	}
}

func TestOneDirectoryIsNotCalledEqual(t *testing.T) {
	for _, r := range []struct {
		looked string
		want   string
	}{
		{"", "all is well: 2 positions from 3 to 4 are whole and equal\n"},
		{"in this directory; no other replica was looked at", "all is well: 2 positions from 3 to 4 are whole in this directory; no other replica was looked at\n"},
	} {
		s, v := newShell("", nil), newVerdict()
		v.Healthy, v.Begin, v.End, v.Positions, v.looked = true, 3, 4, 2, r.looked
		if err := (&program{console: s.console, settings: settings{output: table}}).printVerdict(v); err != nil || !strings.HasSuffix(s.out.String(), r.want) {
			t.Errorf("%v, %q, want %q", err, s.out.String(), r.want)
		}
	}
}
