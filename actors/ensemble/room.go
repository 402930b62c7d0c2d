package ensemble

// How much may wait.
const (
	// MaxWaiting is how many bytes of values may wait at the writer of a log.
	MaxWaiting = 64 << 20
	// maxWaitingAll is how many may at those of all logs of a process, until each has only the least.
	maxWaitingAll = 2 * MaxWaiting
	// leastWaiting is what each may have whatever the others have: two requests, about.
	leastWaiting = 2 << 20
)

// Room is how many bytes of values may wait in one queue here at most: less where other logs of the process have much waiting, and
// never nothing, lest a flood of one turns away whoever appends to another.
func (e *Ensemble) Room() int {
	if e.Beside == nil || e.Beside()+MaxWaiting <= maxWaitingAll {
		return MaxWaiting
	}
	return leastWaiting
}
