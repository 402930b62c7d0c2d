//go:build !race

package process

// raceDetector: see race.go.
const raceDetector = false
