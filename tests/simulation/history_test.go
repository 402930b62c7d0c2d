package simulation

import (
	"slices"
	"strings"
	"testing"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
)

// altered spoils what a client was told in the last call of a kind, after a run in which all is well.
type altered struct {
	kind  spec.Kind
	spoil func(*spec.Operation)
	rule  spec.Rule
}

func alterations() []altered {
	return []altered{
		{spec.Append, func(o *spec.Operation) { o.Told.First++; o.Told.Last++ }, spec.Acknowledged},
		{spec.Append, func(o *spec.Operation) { o.Outcome, o.Why = spec.Rejected, "no" }, spec.Denied},
		{spec.Append, func(o *spec.Operation) { o.Entries[0] += " of another kind" }, spec.Origin},
		{spec.Truncate, func(o *spec.Operation) { o.To++ }, spec.Acknowledged},
		{spec.Read, func(o *spec.Operation) { o.View.Begin = o.View.Learned + 1000 }, spec.Truncations},
		{spec.Read, func(o *spec.Operation) { o.View.Records = nil }, spec.Reads},
		{spec.Catchup, func(o *spec.Operation) { o.Told.Last = 0 }, spec.Current},
		{spec.Elect, func(o *spec.Operation) { o.Told.Last = 0 }, spec.Elections},
	}
}

func TestTheWholeHistoryIsChecked(t *testing.T) {
	for i, a := range alterations() {
		noticed := false
		const most = 20 // runs until one has such a call
		for seed := uint64(1); seed <= most && !noticed; seed++ {
			s := run(t, Options{Seed: seed})
			all := slices.DeleteFunc(slices.Clone(s.history.operations), func(o *operation) bool {
				return o.Kind != a.kind || o.Outcome != spec.Succeeded || a.kind == spec.Read && o.View.Range().Empty()
			})
			if !s.ok() || len(all) == 0 {
				continue
			}
			a.spoil(all[len(all)-1].Operation)
			s.checkAll()
			noticed = strings.Contains(s.broken, string(a.rule)+": ")
		}
		if !noticed {
			t.Errorf("alteration %d of %v: no violation of %s in %d runs", i, a.kind, a.rule, most)
		}
	}
}
