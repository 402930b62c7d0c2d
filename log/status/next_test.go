package status_test

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// letters writes a status, or silence, as one letter. The tests write what was heard as one letter per member.
var letters = map[rune]status.Status{
	'E': status.Empty, 'S': status.Starting, 'R': status.Recovering, 'V': status.Voting,
}

// answers returns what the members 1, 2, ... answered; '-' is silence. Each voting one has other bounds and promises,
// so that none of the lowest and highest are those of the same replica.
func answers(heard string) []status.Answer {
	var as []status.Answer
	for i, letter := range strings.ReplaceAll(heard, " ", "") {
		if letter == '-' {
			continue
		}
		a := status.Answer{
			From:        log.ReplicaID(i + 1),
			Incarnation: identity.Incarnation{Generation: 1, Disk: uint64(100 + i)},
			Status:      letters[letter],
		}
		if a.Status == status.Voting {
			a.Begin = log.Position(10 + (7*i+3)%5)
			a.End = log.Position(20 + (3*i+1)%5)
			a.Promised = log.NewProposal(uint64(1+(2*i+2)%5), a.From)
			a.Highest = log.NewProposal(uint64(9+(4*i+1)%5), a.From)
		}
		as = append(as, a)
	}
	return as
}

// expected is the second implementation: it looks at sorted letters, and at lists of numbers.
//
// The local replica is the last member, and its own answer counts only if it is what the replica is.
func expected(local rune, heard string, quorum int, auto bool) string {
	others, own := heard[:len(heard)-1], heard[len(heard)-1:]
	if own != string(local) {
		own = "-"
	}
	sorted := strings.Split(others+own, "")
	sort.Strings(sorted)
	all := strings.Join(sorted, "")
	if strings.Contains(all, strings.Repeat("V", quorum)) {
		return "RECOVERING " + expectedSpan(others)
	}
	if !auto {
		return "undecided"
	}
	switch local {
	case 'E':
		if strings.Trim(all, "ES") == "" {
			return "STARTING"
		}
	case 'S':
		if strings.Trim(all, "S") == "" || strings.ContainsRune(all, 'V') {
			return "VOTING"
		}
	}
	return "undecided"
}

// expectedSpan sorts the numbers of the voting replicas and takes the ends of the lists.
func expectedSpan(heard string) string {
	var begins, ends, promised, highest []uint64
	for _, a := range answers(heard) {
		if a.Status == status.Voting {
			begins, ends = append(begins, uint64(a.Begin)), append(ends, uint64(a.End))
			promised, highest = append(promised, uint64(a.Promised)), append(highest, uint64(a.Highest))
		}
	}
	for _, numbers := range [][]uint64{begins, ends, promised, highest} {
		slices.Sort(numbers)
	}
	n := len(begins) - 1
	return fmt.Sprint(begins[0], ends[n], promised[n], highest[n])
}

// said writes a decision as expected does.
func said(d status.Decision) string {
	switch {
	case d.Undecided:
		return "undecided"
	case d.Next == status.Recovering:
		return "RECOVERING " + fmt.Sprint(uint64(d.Begin), uint64(d.End), uint64(d.Promised), uint64(d.Highest))
	default:
		return d.Next.String()
	}
}

// every calls claim with each combination of n letters of the alphabet.
func every(n int, alphabet string, claim func(string)) {
	if n == 0 {
		claim("")
		return
	}
	every(n-1, alphabet, func(rest string) {
		for _, letter := range alphabet {
			claim(string(letter) + rest)
		}
	})
}

// permute calls claim with each order of the answers (Heap's algorithm, in place).
func permute(as []status.Answer, n int, claim func([]status.Answer)) {
	if n <= 1 {
		claim(as)
		return
	}
	for i := range n {
		permute(as, n-1, claim)
		if n%2 == 0 {
			as[i], as[n-1] = as[n-1], as[i]
		} else {
			as[0], as[n-1] = as[n-1], as[0]
		}
	}
}

// rotate calls claim with each rotation of the answers, forwards and backwards.
func rotate(as []status.Answer, _ int, claim func([]status.Answer)) {
	for i := range max(1, len(as)) {
		turned := slices.Concat(as[min(i, len(as)):], as[:min(i, len(as))])
		claim(turned)
		slices.Reverse(turned)
		claim(turned)
	}
}

// compare runs both implementations on what was heard, in the given orders, for every local status and flag. It returns
// how many decisions it compared.
func compare(t *testing.T, heard string, orders func([]status.Answer, int, func([]status.Answer))) int {
	n, compared := len(heard), 0
	for _, local := range "ESR" {
		for _, auto := range []bool{true, false} {
			c := status.Config{Members: n, Quorum: n/2 + 1, AutoInitialize: auto}
			me := status.Local{Replica: log.ReplicaID(n), Status: letters[local]}
			want := expected(local, heard, c.Quorum, auto)
			as := answers(heard)
			orders(as, len(as), func(as []status.Answer) {
				compared++
				if got := said(status.Next(c, me, as)); got != want {
					t.Fatalf("local %c, auto-initialize %v, heard %s in the order %v:\ngot  %s\nwant %s",
						local, auto, heard, as, got, want)
				}
			})
		}
	}
	return compared
}

func TestNextEqualsSecondImplementationForThreeMembers(t *testing.T) {
	compared := 0
	every(3, "-ESRV", func(heard string) { compared += compare(t, heard, permute) })
	t.Logf("%d decisions", compared)
}

func TestNextEqualsSecondImplementationForFiveMembers(t *testing.T) {
	compared := 0
	every(5, "-ESRV", func(heard string) { compared += compare(t, heard, rotate) })
	t.Logf("%d decisions", compared)
}

func TestNextEqualsSecondImplementationInEveryOrderForFiveMembers(t *testing.T) {
	compared := 0
	every(5, "-ESRV", func(heard string) {
		if others := []byte(heard[:4]); slices.IsSorted(others) { // one for each number of answers of a kind
			compared += compare(t, heard, permute)
		}
	})
	t.Logf("%d decisions", compared)
}

func TestNextLeavesTheAnswersAsTheyAre(t *testing.T) {
	as := answers("VVE")
	status.Next(status.Config{Members: 3, Quorum: 2}, status.Local{Replica: 3, Status: status.Empty}, as)
	if want := answers("VVE"); !reflect.DeepEqual(as, want) {
		t.Errorf("got %v, want %v", as, want)
	}
}

func TestVotingReplicaHasNothingToRecover(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a VOTING replica asked what to do next")
		}
	}()
	status.Next(status.Config{Members: 3, Quorum: 2}, status.Local{Replica: 3, Status: status.Voting}, answers("VVV"))
}
