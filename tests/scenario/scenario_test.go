// Package scenario plays written schedules against whole members: the scripts of testdata are the documented stories of
// recovery, and one schedule for each known hole of the protocol. README.md has the language, and what each script prints
// when the fix that it guards is taken out.
package scenario

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// seeds is how many histories every script is played in. What a script prints must not depend on the seed.
const seeds = 3

// patience is how long a command waits for an answer, in virtual time.
const patience = time.Minute

func TestEveryScriptPrintsWhatItSays(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { play(t, path, seed) })
			if rewriting() {
				return
			}
		}
	})
}

// rewriting says whether the scripts are written anew; one seed does for that.
func rewriting() bool {
	f := flag.Lookup("rewrite")
	return f != nil && f.Value.String() == "true"
}

func play(t *testing.T, path string, seed uint64) {
	s := &script{T: t, seed: seed, proposers: map[string]*proposer{}, asked: map[log.ReplicaID]question{}}
	all := commands()
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		run, known := all[d.Cmd]
		if !known {
			d.Fatalf(t, "no command %q; there are %q", d.Cmd, slices.Sorted(maps.Keys(all)))
		}
		s.line = d
		if s.cluster == nil && d.Cmd != "cluster" {
			d.Fatalf(t, "a script begins with cluster")
		}
		out := run(s)
		if s.cluster != nil && s.cluster.World.Err() != nil {
			t.Fatal(s.cluster.World.Err())
		}
		return out
	})
}

// command does what one line of a script says, and returns what it prints.
type command func(s *script) string

// commands are all there are: one group per file.
func commands() map[string]command {
	all := map[string]command{}
	for _, group := range []map[string]command{
		lifeCommands(), networkCommands(), clientCommands(), lookCommands(), proposerCommands(),
	} {
		maps.Copy(all, group)
	}
	return all
}

// script is one script while it is played.
type script struct {
	*testing.T
	seed      uint64
	line      *datadriven.TestData // that is played
	cluster   *kit.Cluster
	rules     []rule
	proposers map[string]*proposer
	asked     map[log.ReplicaID]question // questions to coordinators that were not waited for
	wins      []win
	strangers []*stranger
}

// members are the members that the line names: "2 3"; all if it names none.
func (s *script) members() []*kit.Member {
	var named []*kit.Member
	for _, a := range s.line.CmdArgs {
		if id, err := strconv.ParseUint(a.Key, 10, 16); err == nil && len(a.Vals) == 0 {
			named = append(named, s.member(id))
		}
	}
	if len(named) == 0 {
		return s.cluster.Members
	}
	return named
}

// one is the first member that the line names.
func (s *script) one() *kit.Member {
	s.Helper()
	if len(s.members()) == 0 || s.members()[0].ID == 1 && s.line.CmdArgs[0].Key != "1" {
		s.line.Fatalf(s, "%s needs a member", s.line.Cmd)
	}
	return s.members()[0]
}

func (s *script) member(id uint64) *kit.Member {
	s.Helper()
	if id == 0 || id > uint64(len(s.cluster.Members)) {
		s.line.Fatalf(s, "no member has the id %d", id)
	}
	return s.cluster.Member(log.ReplicaID(id))
}

// listed are the members of an argument: "to=(2,3)"; none if there is no such argument.
func (s *script) listed(key string) []*kit.Member {
	s.Helper()
	var ids []uint64
	s.line.MaybeScanArgs(s, key, &ids)
	var all []*kit.Member
	for _, id := range ids {
		all = append(all, s.member(id))
	}
	return all
}

// text is the value of an argument, or empty.
func (s *script) text(key string) string {
	var value string
	s.line.MaybeScanArgs(s, key, &value)
	return value
}

// words are the arguments without a value that are no members.
func (s *script) words() []string {
	var words []string
	for _, a := range s.line.CmdArgs {
		if _, err := strconv.ParseUint(a.Key, 10, 16); err != nil && len(a.Vals) == 0 {
			words = append(words, a.Key)
		}
	}
	return words
}

// positions reads "at=4" and "at=4-6"; empty if there is no such argument.
func (s *script) positions(key string) log.Range {
	s.Helper()
	text := s.text(key)
	if text == "" {
		return log.Range{}
	}
	first, last, two := strings.Cut(text, "-")
	if !two {
		last = first
	}
	return log.Range{First: log.Position(s.number(first)), Last: log.Position(s.number(last))}
}

func (s *script) number(text string) uint64 {
	s.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		s.line.Fatalf(s, "%v", err)
	}
	return n
}

// until runs the world until done says true, for at most d, and says whether it did, and how many seconds passed where it
// took longer than asking again once or twice.
func (s *script) until(d time.Duration, done func() bool) (passed string, ok bool) {
	before := s.cluster.World.Elapsed()
	err := s.cluster.World.Until(d, done)
	if failure := s.cluster.World.Err(); failure != nil {
		s.Fatal(failure)
	}
	if seconds := (s.cluster.World.Elapsed() - before).Round(time.Second); seconds >= 2*time.Second {
		passed = fmt.Sprintf(" (after %v)", seconds)
	}
	return passed, err == nil
}

func lines(all []string) string { return strings.Join(all, "\n") }
