package storagetest

import (
	"math/rand/v2"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
)

// needsNobodyElse is the one test of what a sync of somebody else makes durable.
const needsNobodyElse = "WhatWasNotSyncedIsLost"

var crashes = map[string]func(*rig){
	"WhatWasSyncedSurvives":            syncedSurvives,
	"AgeOutlivesCrashes":               ageSurvives,
	"WhatASyncCoversSurvives":          coveredSurvives,
	"ACrashInASyncTakesTheNewest":      crashDuringASyncTakesTheNewest,
	needsNobodyElse:                    unsyncedIsLost,
	"WhatIsLostIsTheNewest":            newestIsLost,
	"PutIsAllOrNothing":                putIsAllOrNothing,
	"ASyncedTruncationSurvives":        truncationSurvives,
	"ATruncationIsNeverHalfDone":       truncationIsWhole,
	"ANewDiskSurvivesWithoutAnyChange": func(r *rig) { r.crash(nil) },
}

func syncedSurvives(r *rig) {
	r.put(entries(1, 9)...)
	r.learn(1, 4)
	r.setMetadata(voting)
	r.sync()
	r.crash(nil)
	got := r.summary()
	if len(r.scan(1, 9)) != 9 || got.Learned.Len() != 4 || got.Unlearned.Len() != 5 || r.store.Metadata().Status != status.Voting {
		r.Errorf("got %v, %+v, %+v", r.scan(1, 9), got, r.store.Metadata())
	}
}

func unsyncedIsLost(r *rig) {
	r.put(entry(1, "synced"))
	r.sync()
	r.put(entry(1, "lost"), entry(2, "lost"))
	r.learn(1, 2)
	r.setMetadata(voting)
	r.crash(nil)
	a, _, err := r.store.Get(1)
	if err != nil || string(a.Value.Data) != "synced" || a.Learned || r.holds(2) || r.store.Metadata().Status == status.Voting {
		r.Errorf("got %+v, %v, %v, %+v", a, err, r.holds(2), r.store.Metadata())
	}
}

func newestIsLost(r *rig) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	next, synced := log.Position(1), log.Position(0)
	for range 10 {
		for range random.IntN(50) {
			r.put(entry(next, string(make([]byte, random.IntN(2000)))))
			if next++; random.IntN(20) == 0 {
				r.sync()
				synced = next - 1
			}
		}
		r.crash(random)
		held := r.scan(1, log.MaxPosition)
		if n := log.Position(len(held)); n < synced || n >= next || n > 0 && held[n-1] != n {
			r.Fatalf("seed %d: got %v, wrote %d, synced %d", seed, held, next-1, synced)
		}
		next, synced = log.Position(len(held))+1, log.Position(len(held))
	}
}

func putIsAllOrNothing(r *rig) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for first := log.Position(1); first < 2000; first += 100 {
		r.put(entries(first, first+99)...)
		r.crash(random)
		if n := len(r.scan(first, first+99)); n != 0 && n != 100 {
			r.Fatalf("seed %d: %d of 100 records are there", seed, n)
		}
	}
}

func truncationSurvives(r *rig) {
	r.put(entries(1, 9)...)
	r.learn(1, 9)
	r.truncate(6)
	r.sync()
	r.crash(nil)
	got := r.scan(1, 9)
	if r.store.Metadata().Begin != 6 || !slices.Equal(got, []log.Position{6, 7, 8, 9}) || !r.summary().Learned.Equal(interval.Of(log.Span(6, 4))) {
		r.Errorf("begins at %d with %v, %+v, want 6", r.store.Metadata().Begin, got, r.summary())
	}
}

func truncationIsWhole(r *rig) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for first := log.Position(1); first < 200; first += 10 {
		r.put(entries(first, first+9)...)
		r.learn(first, first+9)
		r.sync()
		r.truncate(first + 10)
		r.crash(random)
		want := uint64(first+10) - uint64(r.store.Metadata().Begin)
		if got := uint64(len(r.scan(1, log.MaxPosition))); got != want || r.summary().Learned.Len() != want {
			r.Fatalf("seed %d: %d records at begin %d", seed, got, r.store.Metadata().Begin)
		}
		r.truncate(first + 10)
	}
}
