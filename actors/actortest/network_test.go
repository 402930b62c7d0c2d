package actortest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// sent lets a send n numbers to a probe on b, and tells which arrive.
func sent(w *actortest.World, n uint64) []uint64 {
	p := w.Node("b:1").Probe("probe")
	for i := range n {
		w.Node("a:1").Root().Send(p.PID, num(i))
	}
	w.Run(time.Second)
	var got []uint64
	for _, m := range p.Messages() {
		got = append(got, m.(number).GetValue())
	}
	return got
}

func TestLinkKeepsTheOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := actortest.New(t, seed)
		w.Net.Duplicate(0.3)
		if got := sent(w, 100); !slices.IsSorted(got) || len(got) <= 100 {
			t.Errorf("seed %d: %v", seed, got)
		}
	}
}

func TestLinkReordersWhenAsked(t *testing.T) {
	w := actortest.New(t, 1)
	w.Net.Reorder(true)
	got := sent(w, 100)
	if slices.IsSorted(got) || len(got) != 100 {
		t.Errorf("%v", got)
	}
}

func TestLinkLosesAboutAsManyAsAsked(t *testing.T) {
	w := actortest.New(t, 1)
	w.Net.Drop(0.5)
	if got := len(sent(w, 1000)); got < 400 || got > 600 {
		t.Errorf("%d of 1000", got)
	}
}

func TestReachesTellsWhatIsCutOneWay(t *testing.T) {
	net := actortest.New(t, 1).Net
	net.Cut("a:1", "b:1")
	net.Partition([]string{"c:1"})
	for link, want := range map[[2]string]bool{
		{"a:1", "b:1"}: false, {"b:1", "a:1"}: true, {"a:1", "c:1"}: false, {"c:1", "b:1"}: false, {"b:1", "d:1"}: true,
	} {
		if got := net.Reaches(link[0], link[1]); got != want {
			t.Errorf("%s: %v", link, got)
		}
	}
}

func TestTailOfALinkReachesFromMaxToLongest(t *testing.T) {
	w := actortest.New(t, 1)
	w.Net.Reorder(true)
	w.Net.Delay(time.Millisecond, 10*time.Millisecond)
	w.Net.Tail(0.1, time.Minute)
	p := w.Node("b:1").Probe("probe")
	for range 1000 {
		w.Node("a:1").Root().Send(p.PID, num(1))
	}
	w.Run(time.Minute)
	late, mid, longest := 0, 0, time.Duration(0)
	for _, r := range p.Received() {
		if r.At > 10*time.Millisecond {
			late++
		}
		if r.At > time.Second {
			mid++
		}
		longest = max(longest, r.At)
	}
	if got := len(p.Received()); got != 1000 || late < 50 || late > 150 || mid < late/4 || mid > 3*late/4 || longest < 20*time.Second {
		t.Errorf("%d came, %d late, %d by more than a second, and %v at most", got, late, mid, longest)
	}
}

func TestLateMessageKeepsLaterOnesWaiting(t *testing.T) {
	w := actortest.New(t, 1)
	w.Net.Tail(0.05, 100*time.Millisecond)
	if got := sent(w, 200); !slices.IsSorted(got) || len(got) != 200 {
		t.Errorf("%v", got)
	}
}

func TestLinkWithAQualityOfItsOwn(t *testing.T) {
	w := actortest.New(t, 1)
	w.Net.Link("a:1", "b:1", actortest.Quality{Min: time.Minute, Max: time.Hour})
	if got := sent(w, 10); len(got) != 0 {
		t.Errorf("%v within a second", got)
	}
	if w.Net.Flying() != 10 {
		t.Errorf("%d on their way", w.Net.Flying())
	}
}

func TestWhoHearsWhomWhenLinksAreCut(t *testing.T) {
	for name, c := range map[string]struct {
		cut  func(*actortest.Network)
		want string // pairs that hear each other
	}{
		"none":      {func(*actortest.Network) {}, "a>b a>c b>a b>c c>a c>b"},
		"one way":   {func(n *actortest.Network) { n.Cut("a", "b") }, "a>c b>a b>c c>a c>b"},
		"healed":    {func(n *actortest.Network) { n.Cut("a", "b"); n.Heal("a", "b") }, "a>b a>c b>a b>c c>a c>b"},
		"isolated":  {func(n *actortest.Network) { n.Isolate("b") }, "a>c c>a"},
		"joined":    {func(n *actortest.Network) { n.Isolate("b"); n.Join("b") }, "a>b a>c b>a b>c c>a c>b"},
		"partition": {func(n *actortest.Network) { n.Partition([]string{"a", "b"}) }, "a>b b>a"},
		"three":     {func(n *actortest.Network) { n.Partition([]string{"a"}, []string{"b"}) }, ""},
		"healed all": {func(n *actortest.Network) {
			n.Partition([]string{"a"})
			n.Cut("b", "c")
			n.Isolate("a")
			n.HealAll()
		}, "a>b a>c b>a b>c c>a c>b"},
	} {
		w := actortest.New(t, 1)
		c.cut(w.Net)
		var heard []string
		for _, from := range []string{"a", "b", "c"} {
			for _, to := range []string{"a", "b", "c"} {
				if from == to {
					continue
				}
				p := w.Node(to).Probe(from)
				w.Node(from).Root().Send(p.PID, num(1))
				w.Run(time.Second)
				if len(p.Messages()) == 1 {
					heard = append(heard, from+">"+to)
				}
			}
		}
		if got := strings.Join(heard, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCutLosesWhatIsOnItsWay(t *testing.T) {
	w := actortest.New(t, 1)
	p := w.Node("b:1").Probe("probe")
	w.Node("a:1").Root().Send(p.PID, num(1))
	w.Net.Cut("a:1", "b:1")
	actortest.ExpectNone[any](t, p, time.Second)
}

func TestOnlyProtobufTravelsBetweenNodes(t *testing.T) {
	w := actortest.NewWorld(1)
	defer w.Close()
	p := w.Node("b:1").Probe("probe")
	a := w.Node("a:1")
	a.Spawn("careless", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			ctx.Send(p.PID, "text")
		}
	}))
	w.Run(time.Second)
	if w.Err() == nil || !strings.Contains(w.Err().Error(), "a:1 sends string to b:1/probe") {
		t.Fatal(w.Err())
	}
}

func TestReceiverOfAnotherNodeGetsItsOwnCopy(t *testing.T) {
	w := actortest.New(t, 1)
	p := w.Node("b:1").Probe("probe")
	m := num(1)
	w.Node("a:1").Root().Send(p.PID, m)
	m.Value = 2
	if got := actortest.Await[number](t, p, time.Second); got == m || got.GetValue() != 1 {
		t.Errorf("got %v", got)
	}
}

// A PID remembers the process that it reached first, so that one PID value used on two nodes would bypass the network.
func TestPIDThatIsUsedOnTwoNodesDoesNotBypassTheNetwork(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	p := b.Probe("probe")
	b.Root().Send(p.PID, num(1)) // now it remembers the actor itself
	actortest.Await[number](t, p, 0)
	a.Spawn("sender", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			ctx.Send(p.PID, num(2))
			ctx.Watch(p.PID)
		}
	}))
	w.Net.Cut("a:1", "b:1")
	actortest.ExpectNone[any](t, p, time.Second)

	far := b.PID("probe")
	a.Root().Send(far, num(3)) // now it remembers the network
	b.Root().Send(far, num(4))
	if got := actortest.Await[number](t, p, 0); got.GetValue() != 4 {
		t.Errorf("got %v", got)
	}
}

func TestMessageToNobodyComesBackAsADeadLetter(t *testing.T) {
	w := actortest.New(t, 1)
	w.Node("b:1")
	p := w.Node("a:1").Probe("probe")
	p.Request(actor.NewPID("b:1", "nobody"), num(1))
	actortest.Await[*actor.DeadLetterResponse](t, p, time.Second)
}
