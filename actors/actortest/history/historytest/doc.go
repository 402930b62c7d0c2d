// Package historytest makes histories to check the checkers of histories with: correct ones, by chance, and ones of which
// one thing is spoiled.
package historytest
