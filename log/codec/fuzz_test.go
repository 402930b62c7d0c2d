package codec_test

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
)

// FuzzDecode feeds every decoder with bytes: first with valid messages of each kind, then with whatever coverage leads to.
// The first argument chooses the decoder, so that one run reaches all of them.
func FuzzDecode(f *testing.F) {
	all := forms()
	for which, form := range all {
		for seed := range uint64(10) {
			wire, err := proto.Marshal(form.encode(form.draw(&drawer{rand.New(rand.NewPCG(seed, 5))})))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(which), wire)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, wire []byte) {
		all[int(which)%len(all)].check(t, wire, "fuzz")
	})
}
