package disk

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// foundation has pages of records, and then an error, if there is one.
func foundation(begin log.Position, failure error, pages ...[]log.Action) Foundation {
	return Foundation{
		Begin: begin, Highest: log.NewProposal(9, 2), Origin: "a test", Records: func(yield func([]log.Action, error) bool) {
			for _, page := range pages {
				if !yield(page, nil) {
					return
				}
			}
			if failure != nil {
				yield(nil, failure)
			}
		},
		Disks: identity.Vector{{Replica: 1, Incarnation: identity.Incarnation{Generation: 1, Disk: 11}},
			{Replica: 2, Incarnation: identity.Incarnation{Generation: 1, Disk: 22}}},
	}
}

func entries(first, last log.Position) (all []log.Action) {
	by := log.NewProposal(4, 1)
	for p := first; p <= last; p++ {
		all = append(all, log.Action{Position: p, Promised: by.Next(1), Performed: by, Value: log.Value{Kind: log.Append, Data: []byte{byte(p)}}})
	}
	return all
}

func buildOptions() Options {
	return Options{Dir: "data", FS: vfs.NewMem(), Cluster: "new@1", Replica: 2, Members: []log.ReplicaID{1, 2}}
}

func TestADirectoryThatIsBuiltVotesAndHoldsItsRecordsLearned(t *testing.T) {
	o := buildOptions()
	if err := Build(o, foundation(3, nil, entries(1, 2), entries(3, 3), entries(4, 6))); err != nil {
		t.Fatal(err)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test that has read what it wanted
	m, highest := s.Metadata(), log.NewProposal(9, 2)
	if m.Status != status.Voting || m.Begin != 3 || m.Highest != highest || m.Promised != highest || m.Incarnation.Disk != 22 || len(m.Known) != 2 {
		t.Errorf("the metadata are %+v", m)
	}
	report, err := Check(s, nil)
	if err != nil || report.Damage != nil || !report.Learned.Covers(log.Range{First: 3, Last: 6}) || report.Records != 4 || report.End != 6 {
		t.Errorf("%+v, %v", report, err)
	}
	if a, _, err := s.Get(4); err != nil || a.Promised != a.Performed || a.Value.Data[0] != 4 {
		t.Errorf("%+v, %v", a, err)
	}
	if origin, err := s.Origin(); origin != "a test" || err != nil {
		t.Errorf("the origin is %q, %v", origin, err)
	}
}

func TestTheMembersOfTheOldLogAreNotThoseOfTheNewOne(t *testing.T) {
	o, old := buildOptions(), entries(1, 3)
	old[1].Value = log.Value{Kind: log.Config, Data: []byte("the old members")}
	if err := Build(o, foundation(1, nil, old)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test that has read what it wanted
	if a, _, err := s.Get(2); err != nil || a.Value.Kind != log.NOP || len(a.Value.Data) > 0 {
		t.Errorf("position 2 is %+v, %v", a, err)
	}
	if m := s.Metadata(); m.Configuration.Epoch != 0 || len(m.Members) != 2 {
		t.Errorf("the metadata are %+v", m)
	}
}

func TestADirectoryThatExistsIsNotBuiltOn(t *testing.T) {
	o := buildOptions()
	if err := Build(o, foundation(1, nil, entries(1, 2))); err != nil {
		t.Fatal(err)
	}
	if err := Build(o, foundation(1, nil, entries(1, 3))); !errors.Is(err, storage.ErrForeign) || !strings.Contains(err.Error(), "already") {
		t.Errorf("it was: %v", err)
	}
}

func TestADirectoryWhoseBuildingFailedDoesNotVote(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		from Foundation
		want string
	}{
		{"the records end with an error", foundation(1, broken, entries(1, 2)), "broken"},
		{"a position is missing", foundation(1, nil, entries(1, 2), entries(4, 5)), "position 3 is missing"},
	} {
		o := buildOptions()
		if err := Build(o, c.from); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if m := s.Metadata(); m.Status != status.Recovering {
			t.Errorf("%s: it is %v", c.name, m.Status)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
