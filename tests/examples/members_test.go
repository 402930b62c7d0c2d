package examples

import (
	"strings"
	"syscall"
	"testing"
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
	again.Prints("\n4 member 3 was here\n")
	players[0].Prints("\n4 member 3 was here\n")
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
