package codec_test

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
)

// fuzz feeds a decoder with bytes: first with valid messages, then with whatever coverage leads to.
func fuzz(f *testing.F, name string) {
	f.Helper()
	for _, form := range forms() {
		if form.name != name {
			continue
		}
		for seed := range uint64(10) {
			wire, err := proto.Marshal(form.encode(form.draw(&drawer{rand.New(rand.NewPCG(seed, 5))})))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(wire)
		}
		f.Fuzz(func(t *testing.T, wire []byte) { form.check(t, wire, "fuzz") })
		return
	}
	f.Fatalf("there is no message %s", name)
}

func FuzzDecodeHeader(f *testing.F)          { fuzz(f, "Header") }
func FuzzDecodeIncarnation(f *testing.F)     { fuzz(f, "Incarnation") }
func FuzzDecodeRange(f *testing.F)           { fuzz(f, "Range") }
func FuzzDecodeValue(f *testing.F)           { fuzz(f, "Value") }
func FuzzDecodePromiseRequest(f *testing.F)  { fuzz(f, "PromiseRequest") }
func FuzzDecodePromiseResponse(f *testing.F) { fuzz(f, "PromiseResponse") }
func FuzzDecodeWriteRequest(f *testing.F)    { fuzz(f, "WriteRequest") }
func FuzzDecodeWriteResponse(f *testing.F)   { fuzz(f, "WriteResponse") }
func FuzzDecodeLearnedMessage(f *testing.F)  { fuzz(f, "LearnedMessage") }
func FuzzDecodeRecoverResponse(f *testing.F) { fuzz(f, "RecoverResponse") }
func FuzzDecodeFetchRequest(f *testing.F)    { fuzz(f, "FetchRequest") }
func FuzzDecodeFetchResponse(f *testing.F)   { fuzz(f, "FetchResponse") }
func FuzzDecodePresence(f *testing.F)        { fuzz(f, "Presence") }
func FuzzDecodeWelcome(f *testing.F)         { fuzz(f, "Welcome") }
func FuzzDecodeAppendRequest(f *testing.F)   { fuzz(f, "AppendRequest") }
func FuzzDecodePage(f *testing.F)            { fuzz(f, "Page") }
