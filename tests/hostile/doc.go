// Package hostile sends members what no correct peer and no correct client would send, and checks that they bear it.
//
// The subject is a real member with all its actors, under the seeded world, whose peers do not run. A fuzzer, or a table of
// frames, plays the network: it sends any message of the schema to any actor of the member, in the guise of a peer or of
// nobody in particular. After each frame
//
//   - no actor has panicked, and the member has not given up;
//   - what is on the disk changed only by a request that may change it, and that was not refused;
//   - no more memory was allocated than the frame can account for.
//
// Run it for long with
//
//	go test ./tests/hostile -run '^$' -fuzz FuzzMember -fuzztime 10m
package hostile
