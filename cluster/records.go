package cluster

import (
	"context"
	"errors"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
)

// Records are what a member's replica has learned for a range: one for each position, entries or not.
type Records struct {
	Range   log.Range
	Actions []log.Action
}

// Digest is the fingerprint of the range, as every member gives it that has learned the same: see Reader.Digest.
func (r Records) Digest() Digest { return Digest{r.Range, codec.Digest(r.Actions)} }

// Records reads the first part of a range: at most 1,024 positions or 1 MiB, and at least one. It is for those who need what
// Read skips, as a backup does.
func (r *Reader) Records(ctx context.Context, within log.Range) (Records, error) {
	if within.Empty() {
		return Records{}, errors.New("read records: the range is empty")
	}
	p, err := r.page(ctx, within.First, within.Last)
	return Records{p.covered, p.actions}, err
}
