package examples

import (
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// aGrainIsFoundElsewhere asks a counter by its name, kills the member that hosts it, and asks it at another one.
func aGrainIsFoundElsewhere(t *testing.T, s *Stage) {
	hosts := strings.Join(process.FreePorts(t, 3), ",")
	players := []*Player{s.Member(1, "-hosts", hosts), s.Member(2, "-hosts", hosts), s.Member(3, "-hosts", hosts)}
	asks := func(p *Player, add, want string) {
		t.Helper()
		process.Eventually(t, "alice has "+want, func() (bool, string) { // hosts find each other first, and miss the one that is killed
			before := strings.Count(p.Stdout.String(), "alice has ")
			p.Type("alice " + add)
			process.Eventually(t, "an answer", func() (bool, string) {
				return strings.Count(p.Stdout.String(), "\n") > before, p.Stdout.String()
			})
			return strings.HasSuffix(p.Stdout.String(), "alice has "+want+"\n"), p.Stdout.String()
		})
	}
	for _, p := range players {
		asks(p, "0", "0")
	}
	asks(players[0], "3", "3")
	host, other := players[0], players[1]
	for i, p := range players {
		if strings.Contains(p.Stdout.String(), "alice begins at ") {
			host, other = p, players[(i+1)%len(players)]
		}
	}
	host.Kill()
	asks(other, "0", "3")
	asks(other, "4", "7")
}
