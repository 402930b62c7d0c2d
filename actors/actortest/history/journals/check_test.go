package journals

import (
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
)

// good is a history of one actor: an activation writes, another one comes while an event is on its way, and a third one sees
// what became of it.
func good() History {
	return History{
		Activations: []Activation{
			{Owner: "a", At: 1, Call: 1, Return: 2},
			{Owner: "a", At: 5, Call: 11, Return: 12, Replay: []string{"one", "two", "three"}},
			{Owner: "a", At: 9, Call: 31, Return: 32, Replay: []string{"one", "two", "three", "six", "seven"}},
		},
		Writes: []Write{
			{Owner: "a", Activation: 1, Index: 0, Events: []string{"one", "two"}, Call: 3, Return: 4, Outcome: history.Succeeded},
			{Owner: "a", Activation: 1, Index: 2, Events: []string{"three"}, Call: 10, Return: history.Never, Outcome: history.Unknown},
			{Owner: "a", Activation: 1, Index: 2, Events: []string{"four"}, Call: 13, Return: 14, Outcome: history.Rejected},
			{Owner: "a", Activation: 5, Index: 3, Events: []string{"five"}, Call: 15, Return: 16, Outcome: history.Rejected},
			{Owner: "a", Activation: 5, Index: 3, Events: []string{"six"}, Call: 20, Return: 21, Outcome: history.Succeeded},
			{Owner: "a", Activation: 5, Index: 4, Events: []string{"seven"}, Call: 22, Return: 23, Outcome: history.Succeeded},
		},
	}
}

func TestAHistoryThatKeepsThePromiseIsGood(t *testing.T) {
	if broken := good().Check(); len(broken) > 0 {
		t.Error(history.Join(broken))
	}
}

func TestEachRuleIsHeldAgainstAHistoryThatBreaksIt(t *testing.T) {
	for rule, damage := range map[history.Rule]func(*History){
		Origin:   func(h *History) { h.Activations[2].Replay[4] = "nobody's" },
		Once:     func(h *History) { h.Activations[2].Replay = append(h.Activations[2].Replay, "three") },
		Whole:    func(h *History) { h.Activations[1].Replay = h.Activations[1].Replay[:1] },
		Denied:   func(h *History) { h.Activations[2].Replay = append(h.Activations[2].Replay, "four") },
		Extended: func(h *History) { h.Activations[2].Replay = h.Activations[2].Replay[:2] },
		Kept:     func(h *History) { h.Activations[2].Replay = h.Activations[2].Replay[:4] },
		Fenced:   func(h *History) { h.Writes[2].Outcome = history.Succeeded },
		Numbered: func(h *History) { h.Activations[0].Call, h.Activations[0].Return = 40, 41 },
	} {
		t.Run(string(rule), func(t *testing.T) {
			h := good()
			damage(&h)
			for _, v := range h.Check() {
				if v.Rule == rule {
					return
				}
			}
			t.Errorf("nobody noticed, but for %v", h.Check())
		})
	}
}

// An event that is acknowledged before the actor is activated elsewhere, and in nothing that is replayed then, is lost whatever the
// numbers say.
func TestAnEventThatIsLostIsNoticed(t *testing.T) {
	h := good()
	h.Activations = append(h.Activations, Activation{Owner: "a", At: 12, Call: 50, Return: 51, Replay: []string{"one", "two", "three", "six"}})
	if len(h.Check()) == 0 {
		t.Error("nobody noticed")
	}
}

func TestActorsAreCheckedEachForItself(t *testing.T) {
	h := good()
	h.Activations = append(h.Activations, Activation{Owner: "b", At: 3, Call: 5, Return: 6})
	h.Writes = append(h.Writes, Write{Owner: "b", Activation: 3, Events: []string{"b's"}, Call: 20, Return: 21, Outcome: history.Succeeded})
	if broken := h.Check(); len(broken) > 0 {
		t.Error(history.Join(broken))
	}
}
