package cluster

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Digest is a fingerprint of the first part of a range of one member's replica.
type Digest struct {
	Range  log.Range
	SHA256 [32]byte // of all its records, entries or not, as digest.Hash takes them
}

// Digest asks the member for a digest of a range that it has learned. It covers the range or a prefix of at most 1,024
// positions or 1 MiB; the same range has the same digest on every member.
func (r *Reader) Digest(ctx context.Context, within log.Range) (Digest, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	m, err := r.choose(ctx)
	if err != nil {
		return Digest{}, err
	}
	answer, err := r.client.retry(ctx, m, func(n uint64) proto.Message {
		return &messages.DigestRequest{Request: n, Range: codec.EncodeRange(within)}
	})
	if err != nil {
		return Digest{}, err
	}
	a, ok := answer.(*messages.DigestResponse)
	switch {
	case !ok:
		return Digest{}, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	case a.GetFailure() != nil:
		return Digest{}, failure(m, a.GetFailure())
	}
	covered, err := codec.DecodeRange(a.GetDigest().GetRange())
	if err != nil || len(a.GetDigest().GetSha256()) != len(Digest{}.SHA256) {
		return Digest{}, fmt.Errorf("member %d at %s answered with a malformed digest", m.ID, m.Address)
	}
	return Digest{covered, [32]byte(a.GetDigest().GetSha256())}, nil
}
