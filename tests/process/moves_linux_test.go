package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// The blows of a soak that change the members, by a client, as the command members does. There are four for a while, of which one
// may observe, and three again. Whoever comes is another process, with an id and a disk of its own, behind a proxy as all others.

const (
	soakMembers = 3           // that vote, but for a while
	moveAgain   = time.Second // before a change is asked for once more
)

// moves counts the changes that a soak asked for.
type moves struct {
	mu      sync.Mutex
	made    map[string]int // by what was changed
	refused map[string]int // by why: nothing was changed, and it was asked for again
	failed  int            // calls that nobody answered in time, or that lost to an election
	leaving time.Duration  // the longest from a removal to the end of the process
}

func newMoves() *moves { return &moves{made: map[string]int{}, refused: map[string]int{}} }

// why is the reason of a refusal: a change that would stop the log is refused rightly.
func why(err error) (reason string, refused bool) {
	for reason, kind := range map[string]error{"behind": cluster.ErrBehind, "unhealthy": cluster.ErrUnhealthy} {
		if errors.Is(err, kind) {
			return reason, true
		}
	}
	return "", false
}

func (m *moves) asked(what string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	reason, refused := why(err)
	switch {
	case err == nil:
		m.made[what]++
	case refused:
		m.refused[reason]++
	default:
		m.failed++
	}
}

func (m *moves) left(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaving = max(m.leaving, took)
}

// String tells how many there were.
func (m *moves) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	refused := 0
	for n := range maps.Values(m.refused) {
		refused += n
	}
	return fmt.Sprintf("changes of the members: %s; %d refused, %d not answered; a process that was removed ended within %s", counted(m.made),
		refused, m.failed, ms(m.leaving))
}

// writeDown gives every member a list of its own, which stays when the members change.
func (c *Cluster) writeDown() {
	c.lists = make(map[int]string)
	for _, id := range c.ids {
		c.lists[id] = c.Members
	}
}

// voters are the members that are counted.
func (s *soak) voters() []int {
	return slices.DeleteFunc(slices.Clone(s.ids), func(id int) bool { return id == s.looks })
}

// change asks for a change of the members until it is made. Where it was refused all the time it is not, and false is returned: while
// a member lags behind the flood, that is right.
func (s *soak) change(what string, after []int, ask func(context.Context) (cluster.Membership, error)) bool {
	s.t.Helper()
	before, began := s.voters(), time.Now()
	s.watch.moves(before, after)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), moveTime)
		now, err := ask(ctx)
		cancel()
		s.moves.asked(what, err)
		if err == nil {
			s.know(now)
			s.goesOn("after a member was " + what)
			s.watch.settles(after)
			s.logf("a member was %s after %s: %s", what, ms(time.Since(began)), cluster.FormatMembers(now.Members))
			return true
		}
		s.logf("no member was %s: %v", what, err)
		if _, refused := why(err); refused && time.Since(began) > moveTime {
			s.ask()
			s.watch.settles(s.voters())
			return slices.Equal(s.voters(), after) && !slices.Equal(before, after)
		} else if time.Since(began) > patience {
			s.t.Fatalf("no member was %s within %v: %v", what, patience, err)
		}
		<-time.After(moveAgain)
	}
}

// ask finds out who the members are: an earlier call, which was not answered, may have been heard.
func (s *soak) ask() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	now, err := s.client.Membership(ctx)
	if err != nil {
		s.t.Fatalf("ask who the members are: %v", err)
	}
	s.know(now)
}

// know goes on with other members. Who is none any more is not one that runs.
func (s *soak) know(now cluster.Membership) {
	s.ids, s.looks, s.Members = nil, 0, cluster.FormatMembers(now.Members)
	for i, m := range now.Members {
		s.ids = append(s.ids, int(m.ID))
		if !now.Votes[i] {
			s.looks = int(m.ID)
		}
	}
	for id := range s.running {
		if !slices.Contains(s.ids, id) {
			delete(s.running, id)
			s.watch.left(id)
		}
	}
}

// join has a new member added, which observes, and starts it.
func (s *soak) join() (id int, joined bool) {
	s.t.Helper()
	id = soakMembers + s.joined + 1
	m := cluster.Member{ID: log.ReplicaID(id), Address: s.network.grow(id)}
	made := s.change("added", s.voters(), func(ctx context.Context) (cluster.Membership, error) { return s.client.AddObserver(ctx, m) })
	if !made && s.looks != id {
		s.network.shrink(id)
		return 0, false
	}
	s.joined++
	s.lists[id] = s.Members
	s.StartMember(id)
	return id, true
}

// promote makes the observer a voter, once it has caught up. That is refused before.
func (s *soak) promote() bool {
	id := s.looks
	return s.change("promoted", s.ids, func(ctx context.Context) (cluster.Membership, error) {
		return s.client.PromoteMember(ctx, log.ReplicaID(id))
	})
}

// remove has a member leave, dead or alive. Its process ends by itself, and its disk is nobody's.
func (s *soak) remove(id int) bool {
	s.t.Helper()
	p := s.running[id]
	after := slices.DeleteFunc(s.voters(), func(other int) bool { return other == id })
	if !s.change("removed", after, func(ctx context.Context) (cluster.Membership, error) {
		return s.client.RemoveMember(ctx, log.ReplicaID(id))
	}) {
		return false
	}
	if p != nil {
		s.ends(id, p)
	}
	s.network.shrink(id)
	delete(s.lists, id)
	if err := os.RemoveAll(s.Data(id)); err != nil {
		s.t.Fatal(err)
	}
	return true
}

// ends waits for the end of a process whose member was removed.
func (s *soak) ends(id int, p *Process) {
	s.t.Helper()
	began := time.Now()
	code := p.Wait()
	s.moves.left(time.Since(began))
	if !strings.Contains(p.Stderr.String(), "removed from the log") || code != 1 {
		s.t.Errorf("member %d was removed, and its process ended with %d", id, code)
	}
}

// comeOrGo has a fourth member come where there are three, as an observer or a voter, and else has one go.
func (s *soak) comeOrGo() {
	if len(s.ids) == soakMembers {
		s.hit("a fourth member came")
		id, joined := s.join()
		if !joined {
			return
		}
		if s.coin() {
			s.promote()
		}
		s.votes(id)
		s.goesOn(fmt.Sprintf("with member %d", id))
		return
	}
	leaves := s.looks
	if leaves == 0 || s.coin() && s.promote() {
		leaves = s.anyone()
	}
	s.hit("%s was removed", s.role(leaves))
	s.remove(leaves)
}

// replaceOne has a new member take the place of one that lost its disk, and that never comes back.
func (s *soak) replaceOne() {
	if len(s.ids) > soakMembers {
		s.comeOrGo()
		return
	}
	old := s.anyone()
	s.wipe(old)
	s.blows[len(s.blows)-1].what += ", and another member takes its place"
	if id, joined := s.join(); joined && s.promote() && s.remove(old) {
		s.votes(id)
		s.counts["replaced members"]++
		return
	}
	s.back(old) // with four: one of them goes the next time
}
