package storagetest

import (
	"math/rand/v2"

	"github.com/quorumlog/quorumlog/log"
)

func goesOnWhileItSyncs(r *rig) {
	r.put(entries(1, 9)...)
	wait := r.store.StartSync()
	r.setMetadata(voting)
	r.put(entry(3, "again"), entry(10, "later"))
	r.learn(1, 10)
	r.truncate(2)
	a, found, err := r.store.Get(3)
	if err != nil || !found || string(a.Value.Data) != "again" || len(r.scan(1, 20)) != 9 {
		r.Errorf("got %+v, %v, %v, and %v while a sync runs", a, found, err, r.scan(1, 20))
	}
	r.must(wait())
	if got := r.scan(1, 20); len(got) != 9 || r.summary().Learned.Len() != 9 {
		r.Errorf("got %v after the sync", got)
	}
}

// The race detector looks at this one.
func waitsElsewhere(r *rig) {
	for p := log.Position(1); p < 200; p += 2 {
		r.put(entry(p, "covered"))
		wait, done := r.store.StartSync(), make(chan error)
		go func() { done <- wait() }()
		r.put(entry(p+1, "later"))
		r.learn(p, p)
		_ = r.store.Metadata()
		if !r.holds(p+1) || len(r.scan(p, p+1)) != 2 {
			r.Errorf("what is written while a sync runs is not there")
		}
		r.must(<-done)
	}
}

func runningSyncCountsLater(r *rig) {
	before := r.store.Age()
	r.put(entry(1, "a"))
	wait := r.store.StartSync()
	r.put(entry(2, "b"))
	r.must(wait())
	if got := r.store.Age(); got != before+1 {
		r.Errorf("a sync made the disk %d, from %d", got, before)
	}
	r.must(r.store.StartSync()())
	if got := r.store.Age(); got != before+2 {
		r.Errorf("the sync of what was changed during the first made the disk %d, from %d", got, before)
	}
	r.must(r.store.StartSync()())
	if got := r.store.Age(); got != before+2 {
		r.Errorf("a sync of nothing made the disk %d, from %d", got, before+2)
	}
}

func closeCoversARunningSync(r *rig) {
	before := r.store.Age()
	r.put(entry(1, "covered"))
	_ = r.store.StartSync() // whoever waits for it may be gone
	r.put(entry(2, "later"))
	r.reopen()
	if !r.holds(1) || !r.holds(2) || r.store.Age() <= before {
		r.Errorf("got %v at age %d, from %d", r.scan(1, 2), r.store.Age(), before)
	}
}

func coveredSurvives(r *rig) {
	random := rand.New(rand.NewPCG(1, 1))
	for p := log.Position(1); p < 40; p += 2 {
		r.put(entry(p, "covered"))
		wait := r.store.StartSync()
		r.put(entry(p+1, "later"))
		r.must(wait())
		age := r.store.Age()
		if p%4 == 1 {
			r.crash(nil)
		} else {
			r.crash(random)
		}
		if !r.holds(p) || r.store.Age() < age {
			r.Errorf("got %v at age %d: position %d was synced at age %d", r.scan(1, 40), r.store.Age(), p, age)
		}
	}
}

func crashDuringASyncTakesTheNewest(r *rig) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	next := log.Position(1)
	for range 20 {
		synced := next - 1
		for range random.IntN(10) {
			r.put(entry(next, string(make([]byte, random.IntN(2000)))))
			next++
		}
		wait := r.store.StartSync()
		if random.IntN(2) == 0 {
			go func() { _ = wait() }() // nobody hears of it
		}
		for range random.IntN(10) {
			r.put(entry(next, string(make([]byte, random.IntN(2000)))))
			next++
		}
		r.crash(random)
		held := r.scan(1, log.MaxPosition)
		if n := log.Position(len(held)); n < synced || n >= next || n > 0 && held[n-1] != n {
			r.Fatalf("seed %d: got %v, wrote %d, synced %d", seed, held, next-1, synced)
		}
		next = log.Position(len(held)) + 1
	}
}
