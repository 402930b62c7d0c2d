package examples

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// membersReadTheSame runs the example that embeds a member.
func membersReadTheSame(t *testing.T, s *Stage) {
	players := []*Player{s.Member(1), s.Member(2), s.Member(3)}
	for _, p := range players {
		p.Prints("appended at ", "member 1 was here\n", "member 2 was here\n", "member 3 was here\n")
	}
	players[2].Kill()
	s.Wipe(3)
	again := s.Member(3)
	const twice = `member 3 was here\n(?s:.*)member 3 was here\n`
	again.Prints(twice)
	players[0].Prints(twice)
	_, want, _ := strings.Cut(players[0].Stdout.String(), "\n") // without the line that says what it appended
	if _, got, _ := strings.Cut(again.Stdout.String(), "\n"); got != want {
		t.Errorf("with a new disk it prints\n%sand not\n%s", got, want)
	}
	for _, p := range []*Player{again, players[1], players[0]} {
		p.Signal(syscall.SIGTERM)
		p.Ends()
	}
}

// aCounterGoesOnWhereItWas runs the counter whose state is in the log.
func aCounterGoesOnWhereItWas(_ *testing.T, s *Stage) {
	first, second := s.Member(1), s.Member(2)
	s.Member(3)
	for _, number := range []string{"1", "2", "3"} {
		first.Type(number)
	}
	first.Prints("begins at 0\n", "says 1\n", "says 3\n", "says 6\n")

	first.Kill()
	s.Wipe(1)
	first = s.Member(1)
	first.Type("10")
	first.Prints("begins at 6\n", "says 16\n")

	second.Type("4")
	second.Prints("begins at 16\n", "says 20\n")
	first.Type("5")
	first.Prints("another activation of the actor writes")
	first.Type("5")
	first.Prints("begins at 20\n", "says 25\n")
	second.Type("not a number")
	second.Prints("invalid syntax")
}

// noMoneyIsLost runs the bank, and kills it while money is on its way.
func noMoneyIsLost(t *testing.T, s *Stage) {
	const sum, rounds, moves = "there is 300 in the bank\n", 3, 50
	second := s.Member(2)
	s.Member(3)
	for round := range rounds {
		first := s.Member(1)
		for i := range moves {
			names := []string{"anna", "ben", "carl"}
			first.Type(fmt.Sprintf("%s %s %d", names[i%3], names[(i+1+i/3%2)%3], i%7+1))
		}
		process.Eventually(t, "some money is moved", func() (bool, string) {
			out := first.Stdout.String()
			return strings.Count(out, " has ") > 10+round, out
		})
		first.Kill()
		s.Wipe(1)
	}
	first := s.Member(1)
	first.Type("audit")
	first.Prints(sum)
	first.Type("anna ben 1000")
	first.Prints("error: there is not enough money\n")

	second.Type("audit")
	second.Prints(sum)
	second.Prints(`anna begins with \d+; of \d+ events [1-9]\d* are in a snapshot`)
	first.Type("anna ben 1")
	first.Prints("another activation of the actor writes", "ask again to have the account back here\n")
	first.Type("anna carl 1")
	first.Prints("anna has ")
	second.Type("audit")
	second.Prints("another activation of the actor writes")
}
