package status_test

import (
	"reflect"
	"testing"

	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// told is what the members answered, and which founders those of them told that vote.
func told(heard string, founders ...identity.Founders) []status.Answer {
	as := answers(heard)
	for i, f := range founders {
		as[i].Founders = f
	}
	return as
}

func TestFoundersAreThoseOfWhomeverVotesOrElseAllWhoBegin(t *testing.T) {
	for _, c := range []struct {
		claim string
		local status.Status
		heard []status.Answer
		want  identity.Founders
	}{
		{"all begin (B3)", status.Starting, told("S S S"), identity.Founders{100, 101, 102}},
		{"one has begun (L5)", status.Starting, told("S V S", nil, identity.Founders{9, 8}), identity.Founders{9, 8}},
		{"one has begun, and knows no founders", status.Starting, told("S V S"), nil},
		{"one of those who have begun knows no founders", status.Starting, told("S V V", nil, nil, identity.Founders{7}), identity.Founders{7}},
		{"not before it votes (B2)", status.Empty, told("E S E"), nil},
		{"a log is there (B1)", status.Empty, told("E V V", nil, identity.Founders{7, 8}, identity.Founders{8}), identity.Founders{7, 8}},
		{"a log is there, and nobody knows its founders", status.Recovering, told("R V V"), nil},
	} {
		t.Run(c.claim, func(t *testing.T) {
			d := status.Next(of(3), status.Local{Replica: 1, Status: c.local}, c.heard)
			if d.Undecided || !reflect.DeepEqual(d.Founders, c.want) {
				t.Errorf("got %+v, want founders %v", d, c.want)
			}
		})
	}
}
