package certificate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Paths are the files of a Certificate and of its private Key, both in PEM.
type Paths struct{ Certificate, Key string }

// In returns the paths of a name in a directory: NAME.crt and NAME.key.
func In(dir, name string) Paths {
	return Paths{Certificate: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
}

// Read reads a certificate and its key.
func (p Paths) Read() (Pair, error) {
	certificate, err := os.ReadFile(p.Certificate)
	if err != nil {
		return Pair{}, fmt.Errorf("read the certificate: %w", err)
	}
	key, err := os.ReadFile(p.Key)
	if err != nil {
		return Pair{}, fmt.Errorf("read the key: %w", err)
	}
	pair := Pair{Certificate: certificate, Key: key}
	if _, _, err := pair.parse(); err != nil {
		return Pair{}, fmt.Errorf("%s and %s: %w", p.Certificate, p.Key, err)
	}
	return pair, nil
}

// Write writes a certificate and its key, which only the owner can read, and makes the directory where there is none. It
// replaces nothing: where one of the two is there, it writes neither.
func (p Paths) Write(pair Pair) error {
	for _, path := range []string{p.Certificate, p.Key} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already, and is not replaced: move it away, or choose another directory", path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(p.Key), 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	if err := create(p.Key, pair.Key, 0o600); err != nil {
		return err
	}
	if err := create(p.Certificate, pair.Certificate, 0o644); err != nil {
		return errors.Join(err, os.Remove(p.Key)) // a key alone would be in the way of the next try
	}
	return nil
}

// create writes a file that is not there, durably.
func create(path string, text []byte, mode fs.FileMode) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write a new file: %w", err)
	}
	defer func() {
		if closing := file.Close(); err == nil && closing != nil {
			err = fmt.Errorf("close %s: %w", path, closing)
		}
	}()
	if _, err := file.Write(text); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}
