package codec

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// packed is values of positions that follow each other, and that differ in nothing but their bytes: Values, or a Stretch.
type packed interface {
	GetKind() messages.Kind
	GetTo() uint64
	GetSizes() []uint32
	GetData() []byte
}

// unpack hands out the values from a position on. Their bytes are the message's.
func unpack(m packed, at log.Position, yield func(log.Position, log.Value)) error {
	kind, err := decodeKind(m.GetKind(), at)
	if err != nil {
		return err
	}
	data := m.GetData()
	for i, size := range m.GetSizes() {
		if uint64(size) > uint64(len(data)) {
			return malformed("the values at position %d have more bytes than there are", at)
		}
		v := log.Value{Kind: kind, To: log.Position(m.GetTo())}
		if size > 0 {
			v.Data, data = data[:size:size], data[size:]
		}
		p := at + log.Position(i)
		if err := check(v, p); err != nil {
			return err
		}
		yield(p, v)
	}
	if len(data) > 0 {
		return malformed("%d bytes belong to none of the values at position %d", len(data), at)
	}
	return nil
}

// alike is how many of the first values differ in nothing but their bytes.
func alike(values []log.Value) int {
	for i, v := range values {
		if v.Kind != values[0].Kind || v.To != values[0].To {
			return i
		}
	}
	return len(values)
}

// pack writes values that are alike. It copies their bytes, unless there is one value only.
func pack(values []log.Value) *messages.Values {
	m := &messages.Values{
		Kind: messages.Kind(values[0].Kind), To: uint64(values[0].To), Sizes: make([]uint32, 0, len(values)), Data: values[0].Data,
	}
	bytes := 0
	for _, v := range values {
		m.Sizes = append(m.Sizes, uint32(len(v.Data)))
		bytes += len(v.Data)
	}
	if len(values) > 1 {
		m.Data = make([]byte, 0, bytes)
		for _, v := range values {
			m.Data = append(m.Data, v.Data...)
		}
	}
	return m
}

// decodeValues reads the values of a run.
func decodeValues(runs []*messages.Values, first log.Position) ([]log.Value, error) {
	n, bytes := 0, 0
	for _, m := range runs {
		if len(m.GetSizes()) == 0 {
			return nil, malformed("a run without values")
		}
		n, bytes = n+len(m.GetSizes()), bytes+len(m.GetData())
	}
	if n == 0 || n > log.MaxRun || first == 0 || first > log.MaxPosition-log.Position(n)+1 {
		return nil, malformed("%d values from position %d", n, first)
	}
	if bytes > log.MaxRunBytes {
		return nil, malformed("the values have at most %d bytes, not %d", log.MaxRunBytes, bytes)
	}
	values := make([]log.Value, 0, n)
	for _, m := range runs {
		if err := unpack(m, first+log.Position(len(values)), func(_ log.Position, v log.Value) { values = append(values, v) }); err != nil {
			return nil, err
		}
	}
	if n > 1 && slices.ContainsFunc(values, func(v log.Value) bool { return v.Kind == log.Config }) {
		return nil, malformed("a CONFIG is written alone, and not with %d others", n-1)
	}
	return values, nil
}
