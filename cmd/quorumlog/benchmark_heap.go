package main

import "runtime/metrics"

// heap is what this process took from the heap since it was started.
type heap struct{ objects, bytes uint64 }

func heapNow() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	var read [2]uint64
	for i, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 { // a later Go may not have it
			read[i] = s.Value.Uint64()
		}
	}
	return heap{read[0], read[1]}
}

// each is what one of so many entries took since then.
func (h heap) each(entries uint64) (objects, bytes float64) {
	if entries == 0 {
		return 0, 0
	}
	now := heapNow()
	return float64(now.objects-h.objects) / float64(entries), float64(now.bytes-h.bytes) / float64(entries)
}
