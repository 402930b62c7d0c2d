// Package invariant stops the program where it is wrong.
//
// An invariant is what no message, disk, flag or peer can break. Where one is broken the program no longer knows what
// it is doing, and a replica that guesses may lose what was acknowledged: so it stops.
package invariant

import "fmt"

// Hold panics unless holds. The message says what was expected and what was seen.
func Hold(holds bool, format string, args ...any) {
	if !holds {
		panic("invariant broken: " + fmt.Sprintf(format, args...))
	}
}
