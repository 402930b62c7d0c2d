package storagetest

import "math/rand/v2"

func ageGrows(r *rig) {
	before := r.store.Age()
	r.sync()
	if got := r.store.Age(); got != before {
		r.Errorf("a sync of nothing made the disk %d, from %d", got, before)
	}
	r.put(entry(1, "a"), entry(2, "b"))
	r.learn(1, 2)
	if got := r.store.Age(); got != before {
		r.Errorf("changes without a sync made the disk %d, from %d", got, before)
	}
	r.sync()
	if got := r.store.Age(); got != before+1 {
		r.Errorf("one sync made the disk %d, from %d", got, before)
	}
	r.reopen()
	if got := r.store.Age(); got < before+1 {
		r.Errorf("the disk was %d, and is %d when it is opened again", before+1, got)
	}
}

func ageSurvives(r *rig) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		r.put(entry(1, "a"))
		r.sync()
		before := r.store.Age()
		r.put(entry(2, "b"))
		if random.IntN(2) == 0 {
			r.crash(random)
		} else {
			r.crash(nil)
		}
		if got := r.store.Age(); got < before {
			r.Errorf("the disk was %d, and is %d after a crash", before, got)
		}
	}
}
