package process

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history/journals"
)

// soonestActor is how long an actor takes to be there again at another member after its process was killed. On a machine that is busy
// with other things it is told, and not asked for.
const soonestActor = 3 * time.Second

// drowned says whether more wants to run on this machine than can, as far as it tells.
func drowned() (load float64, yes bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	_, _ = fmt.Sscan(string(text), &load) // 0 where it is not told
	return load, load > 2*float64(runtime.NumCPU())
}

// host writes to actors in one process until that ends, or refuses.
func (v *vaults) host(id int, actors []journals.Activation) (ended func()) {
	var all sync.WaitGroup
	for _, a := range actors {
		all.Go(func() {
			for v.write(id, a).Error == "" {
			}
		})
	}
	return all.Wait
}

// activated has actors activated in a process, which must succeed in time.
func (v *vaults) activated(id int, owners ...string) []journals.Activation {
	v.t.Helper()
	var all []journals.Activation
	for _, owner := range owners {
		Eventually(v.t, owner+" is activated", func() (bool, string) {
			a, err := v.activate(id, owner)
			if err != nil {
				return false, err.Error()
			}
			all = append(all, a)
			return true, ""
		})
	}
	return all
}

// acknowledged waits until so many events are in all.
func (v *vaults) acknowledged(n int) {
	v.t.Helper()
	Eventually(v.t, fmt.Sprintf("%d events are written", n), func() (bool, string) {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.events >= n, fmt.Sprint(v.events)
	})
}

func TestActorsGoOnElsewhereAfterTheirProcessIsKilledAndItsDiskIsLost(t *testing.T) {
	v := newVaults(t, 3)
	owners := []string{"anna", "ben", "carla"}
	for life := range 3 {
		here, there := life%3+1, (life+1)%3+1
		ended := v.host(here, v.activated(here, owners...))
		v.acknowledged((life + 1) * 100)
		killed := time.Now()
		v.lose(here)
		first := v.activated(there, owners[0])
		took := time.Since(killed)
		load, busy := drowned()
		t.Logf("%s is at another member %v after its process was killed, on a machine with a load of %.1f", owners[0], took.Round(time.Millisecond), load)
		if took > soonestActor && !busy {
			t.Errorf("that is more than %v", soonestActor)
		}
		ended()
		if w := v.write(there, first[0]); w.Error != "" {
			t.Errorf("there it says %q", w.Error)
		}
		v.start(here)
		v.ready(here) // it has recovered, votes, and may keep actors again
	}
	v.activated(1, owners...)
	v.check()
}

func TestOfTwoActivationsAtOnceOneIsFencedAndNoEventIsLost(t *testing.T) {
	v := newVaults(t, 3)
	const rounds = 5
	var all sync.WaitGroup
	fenced := make([]int, 2)
	for i := range fenced {
		all.Go(func() {
			for range rounds {
				a, err := v.activate(i+1, "dora")
				for n := 0; err == nil && n < 50; n++ {
					if w := v.write(i+1, a); w.Error != "" {
						if w.Fenced {
							fenced[i]++
						}
						break
					}
				}
			}
		})
	}
	all.Wait()
	if fenced[0]+fenced[1] == 0 {
		t.Error("nobody was fenced")
	}
	t.Logf("fenced %d and %d times", fenced[0], fenced[1])
	v.activated(3, "dora")
	v.check()
}
