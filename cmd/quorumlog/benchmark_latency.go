package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// latencies counts durations in buckets that are at most 1/64 wide, so that it takes the same few bytes however many
// there are. It is safe for many goroutines.
type latencies struct {
	buckets [64 * 64]atomic.Uint64
	count   atomic.Uint64
	longest atomic.Int64
}

// finest is how many buckets each doubling of the duration has, as a power of two.
const finest = 6

// bucketOf is the bucket of a duration: exact below 64 ns, and above that by its seven highest bits.
func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	shift := max(0, bits.Len64(v)-finest-1)
	return shift<<finest + int(v>>shift)
}

// highestOf is the longest duration of a bucket.
func highestOf(bucket int) time.Duration {
	if bucket < 2<<finest {
		return time.Duration(bucket)
	}
	shift := bucket>>finest - 1
	return time.Duration(uint64(bucket-shift<<finest+1)<<shift - 1)
}

func (l *latencies) add(d time.Duration) {
	l.buckets[bucketOf(d)].Add(1)
	l.count.Add(1)
	for {
		longest := l.longest.Load()
		if int64(d) <= longest || l.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

// quantile is the smallest duration that a share of all, from 0 to 1, does not exceed; at most 1/64 too much. 0 of none.
func (l *latencies) quantile(share float64) time.Duration {
	total := l.count.Load()
	left := uint64(share * float64(total))
	for i := range l.buckets {
		n := l.buckets[i].Load()
		if n > 0 && left < n {
			return min(highestOf(i), time.Duration(l.longest.Load()))
		}
		left -= n
	}
	return time.Duration(l.longest.Load())
}

// microseconds keeps tenths.
func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()/100) / 10 }
