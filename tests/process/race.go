//go:build race

package process

// raceDetector: two clients of one process share globals of protoactor's remote, which the race detector sees.
const raceDetector = true
