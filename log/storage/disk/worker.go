package disk

// worker makes the calls that change the disk, one at a time. The caller waits for the call or for the failure of the
// store, whichever is first: Pebble may wait for ever for room that a failed flush will never make.
type worker struct {
	fault   *fault
	calls   chan func() error
	results chan error
	done    chan struct{}
}

func newWorker(f *fault) *worker {
	w := &worker{fault: f, calls: make(chan func() error), results: make(chan error), done: make(chan struct{})}
	go w.run()
	return w
}

func (w *worker) run() {
	defer close(w.done)
	for call := range w.calls {
		err := w.fault.guard(call)
		select {
		case w.results <- err:
		case <-w.fault.happened: // nobody waits any more
		}
	}
}

// do makes a call and returns its error, or the failure of the store.
func (w *worker) do(call func() error) error {
	select {
	case w.calls <- call:
	case <-w.fault.happened:
		return w.fault.failed()
	}
	select {
	case err := <-w.results:
		return err
	case <-w.fault.happened:
		return w.fault.failed()
	}
}

// stop lets the worker end after the call that it makes.
func (w *worker) stop() { close(w.calls) }
